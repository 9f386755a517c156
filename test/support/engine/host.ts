import { ExternalSecretsProxy, type ExecutionLifecycleHooks } from 'n8n-core';
import {
	ICredentialsHelper,
	isExpression,
	NodeHelpers,
	type ICredentialDataDecryptedObject,
	type ICredentialsExpressionResolveValues,
	type ICredentialType,
	type IExecuteData,
	type IHttpRequestHelper,
	type IHttpRequestOptions,
	type INode,
	type INodeCredentialsDetails,
	type INodeParameters,
	type INodeProperties,
	type IRequestOptionsSimplified,
	type IWorkflowExecuteAdditionalData,
	type Workflow,
	type WorkflowExecuteMode,
} from 'n8n-workflow';

/** What the engine asks of the n8n around it. The addresses are valid and lead nowhere. */
export function additionalData(
	hooks: ExecutionLifecycleHooks,
	credentialsHelper: ICredentialsHelper,
): IWorkflowExecuteAdditionalData {
	const base = 'https://n8n.invalid';
	return {
		executionId: hooks.executionId,
		hooks,
		credentialsHelper,
		currentNodeExecutionIndex: 0,
		variables: {},
		externalSecretsProxy: new ExternalSecretsProxy(),
		instanceBaseUrl: `${base}/`,
		restApiUrl: `${base}/rest`,
		formBaseUrl: `${base}/form`,
		formWaitingBaseUrl: `${base}/form-waiting`,
		formTestBaseUrl: `${base}/form-test`,
		webhookBaseUrl: `${base}/webhook`,
		webhookWaitingBaseUrl: `${base}/webhook-waiting`,
		webhookTestBaseUrl: `${base}/webhook-test`,
		mcpBaseUrl: `${base}/mcp`,
		mcpTestBaseUrl: `${base}/mcp-test`,
		executeWorkflow: absent('executeWorkflow'),
		getRunExecutionData: absent('getRunExecutionData'),
		getRuntimeCredential: absent('getRuntimeCredential'),
		startRunnerTask: absent('startRunnerTask'),
		logAiEvent: () => undefined,
	};
}

/** Credentials in memory, one of each type, where n8n has a database. */
export class MemoryCredentials extends ICredentialsHelper {
	/** @param stored values by credential type; what `preAuthentication` returns is added to them. */
	constructor(
		private readonly types: Record<string, ICredentialType>,
		private readonly stored: Record<string, ICredentialDataDecryptedObject>,
	) {
		super();
	}

	/**
	 * A credential as a node gets it: defaults filled in, fields that the form hides left out, expressions
	 * resolved for the item at hand.
	 *
	 * @param raw whether to give the values as they are stored instead
	 *
	 * @throws Error when the type is unknown or nothing is stored for it
	 */
	override getDecrypted(
		_additionalData: IWorkflowExecuteAdditionalData,
		_nodeCredentials: INodeCredentialsDetails,
		typeName: string,
		mode: WorkflowExecuteMode,
		executeData?: IExecuteData,
		raw?: boolean,
		at?: ICredentialsExpressionResolveValues,
	): Promise<ICredentialDataDecryptedObject> {
		const stored = this.stored[typeName];
		if (!stored) return Promise.reject(new Error(`The run was given no credential of type "${typeName}"`));
		if (raw) return Promise.resolve(stored);
		const fields = this.getCredentialsProperties(typeName);
		const filled = NodeHelpers.getNodeParameters(fields, stored as INodeParameters, true, false, null, null);
		const resolved = at?.workflow.expression.getParameterValue(
			filled,
			at.runExecutionData,
			at.runIndex,
			at.itemIndex,
			at.node.name,
			at.connectionInputData,
			mode,
			{},
			executeData,
		);
		return Promise.resolve((resolved ?? filled) as ICredentialDataDecryptedObject);
	}

	/**
	 * Signs a request as the credential type says.
	 *
	 * @throws Error when the type is unknown, or is generic and workflow or node are missing
	 */
	override async authenticate(
		credentials: ICredentialDataDecryptedObject,
		typeName: string,
		requestOptions: IHttpRequestOptions | IRequestOptionsSimplified,
		workflow?: Workflow,
		node?: INode,
	): Promise<IHttpRequestOptions> {
		const request = requestOptions as IHttpRequestOptions;
		const { authenticate } = this.type(typeName);
		if (!authenticate) return request;
		if (typeof authenticate === 'function') return await authenticate(credentials, request);
		if (!workflow || !node) throw new Error('Generic authentication needs the workflow and the node');

		const keys = { $credentials: credentials };
		const resolve = (value: unknown) =>
			isExpression(value)
				? String(workflow.expression.getSimpleParameterValue(node, value, 'internal', keys) || '')
				: value;
		const signed: Record<string, unknown> = { ...request };
		for (const [section, values] of Object.entries(authenticate.properties)) {
			const added = Object.entries(values as object).map(([key, value]) => [resolve(key), resolve(value)]);
			signed[section] = Object.assign({}, signed[section], Object.fromEntries(added));
		}
		return signed as unknown as IHttpRequestOptions;
	}

	/**
	 * Logs in when the type has a hidden expirable field that is empty, or when the service refused it. As in
	 * n8n, a type without such a field never logs in, and a result without it is dropped.
	 *
	 * @throws Error when the type is unknown, and what the type's `preAuthentication` throws
	 */
	override async preAuthentication(
		helpers: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
		typeName: string,
		_node: INode,
		credentialsExpired: boolean,
	): Promise<ICredentialDataDecryptedObject | undefined> {
		const type = this.type(typeName);
		const token = type.properties.find((p) => p.type === 'hidden' && p.typeOptions?.expirable)?.name;
		if (!token || !type.preAuthentication) return undefined;
		if (credentials[token] !== '' && !credentialsExpired) return undefined;

		const output = (await type.preAuthentication.call(
			helpers,
			credentials,
		)) as ICredentialDataDecryptedObject;
		if (output[token] === undefined) return undefined;
		this.stored[typeName] = { ...this.stored[typeName], ...output };
		return Object.assign(credentials, output);
	}

	override getCredentialsProperties(typeName: string): INodeProperties[] {
		return this.type(typeName).properties;
	}

	override isCredentialUsableByNode = () => true;

	override getParentTypes = () => [];

	override runPreAuthentication = absent('runPreAuthentication');

	override getCredentials = absent('getCredentials');

	override updateCredentials = absent('updateCredentials');

	override updateCredentialsOauthTokenData = absent('updateCredentialsOauthTokenData');

	private type(name: string): ICredentialType {
		const type = this.types[name];
		if (!type) throw new Error(`Unknown credential type: ${name}`);
		return type;
	}
}

function absent(name: string): () => Promise<never> {
	return () => Promise.reject(new Error(`The harness has no ${name}()`));
}
