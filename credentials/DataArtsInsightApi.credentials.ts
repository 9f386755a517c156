import type {
	Icon,
	ICredentialDataDecryptedObject,
	ICredentialType,
	IDataObject,
	IHttpRequestHelper,
	IHttpRequestOptions,
	INodeProperties,
} from 'n8n-workflow';

import {
	authenticateRequest,
	prepareCaller,
} from '../nodes/DataArtsInsight/transport/identity/httpRequestNode';

const allowUnauthorizedCerts: INodeProperties = {
	displayName: 'Ignore SSL Issues (Insecure)',
	name: 'allowUnauthorizedCerts',
	type: 'boolean',
	default: false,
	description: 'Whether to connect even if the certificate of the server cannot be verified',
};

const showOnlyForCustom = { region: ['custom'] };
const showOnlyForPassword = { authentication: ['password'] };
const showOnlyForKeys = { authentication: ['accessKey', 'agency'] };

const text = { type: 'string', default: '' } as const;
const requiredText = { ...text, required: true } as const;

/** What n8n needs to know to call DataArts Insight: where it is, who calls, and in which project and workspace. */
export class DataArtsInsightApi implements ICredentialType {
	name = 'dataArtsInsightApi';

	displayName = 'DataArts Insight API';

	icon: Icon = {
		light: 'file:../nodes/DataArtsInsight/dataArtsInsight.svg',
		dark: 'file:../nodes/DataArtsInsight/dataArtsInsight.dark.svg',
	};

	documentationUrl = 'https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html';

	properties: INodeProperties[] = [
		{
			displayName: 'Region',
			name: 'region',
			type: 'options',
			default: 'cn-north-4',
			description: 'Where the workspace or the endpoint service is, as the console shows it at the top left',
			options: [
				{ name: 'CN East-Shanghai1', value: 'cn-east-3' },
				{ name: 'CN North-Beijing4', value: 'cn-north-4' },
				{ name: 'CN North-Ulanqab1', value: 'cn-north-9' },
				{ name: 'CN South-Guangzhou', value: 'cn-south-1' },
				{ name: 'CN Southwest-Guiyang1', value: 'cn-southwest-2' },
				{ name: 'Custom Address', value: 'custom' },
				{ name: 'Other Region', value: 'other' },
			],
		},
		{
			displayName: 'Region ID',
			name: 'regionId',
			...requiredText,
			placeholder: 'e.g. ap-southeast-3',
			hint: 'Huawei Cloud console: your user name at the top right > My Credentials > API Credentials > Project Name',
			description: 'ID of the region, as it stands in the host names of its services',
			displayOptions: { show: { region: ['other'] } },
		},
		{
			displayName: 'Domain Suffix',
			name: 'domainSuffix',
			...requiredText,
			default: 'myhuaweicloud.com',
			description: "What follows the region's ID in the host names of the site, without a scheme or path",
			displayOptions: { show: { region: ['other'] } },
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			...requiredText,
			placeholder: 'e.g. https://dataartsinsight.example.com',
			description: 'Address of DataArts Insight on another site or in a private cloud, without a path',
			displayOptions: { show: showOnlyForCustom },
		},
		{
			displayName: 'Authentication',
			name: 'authentication',
			type: 'options',
			default: 'token',
			description: 'How n8n proves who calls. All but the user token go on by themselves.',
			options: [
				{
					name: 'Access Key (AK/SK)',
					value: 'accessKey',
					description: 'Signs each request. Lasts, and is what Huawei Cloud recommends.',
				},
				{
					name: 'Agency',
					value: 'agency',
					description: 'Acts in another account, with temporary keys that IAM gives for your access key',
				},
				{
					name: 'Password',
					value: 'password',
					description: 'Logs in an IAM user and renews the token when it ends',
				},
				{ name: 'User Token', value: 'token', description: 'Sends your own token, for up to 24 hours' },
			],
		},
		{
			displayName: 'User Token',
			name: 'token',
			...requiredText,
			typeOptions: { password: true },
			hint: 'From IAM (POST /v3/auth/tokens, response header X-Subject-Token), scoped to the project. It is valid for 24 hours.',
			description: 'The token of an IAM user of the project, got from IAM in the same region',
			displayOptions: { show: { authentication: ['token'] } },
		},
		{
			displayName: 'IAM URL',
			name: 'iamUrl',
			...requiredText,
			placeholder: 'e.g. https://iam.example.com',
			description: 'Address of IAM on the same site, without a path',
			displayOptions: { show: { ...showOnlyForCustom, authentication: ['agency', 'password'] } },
		},
		{
			displayName: 'VPC Endpoint URL',
			name: 'vpcepUrl',
			...text,
			placeholder: 'e.g. https://vpcep.example.com',
			hint: 'Only needed for Endpoint Service, Endpoint Connection, Whitelist, Check First, the trigger and the list of endpoint services',
			description: 'Address of the VPC Endpoint service on the same site, without a path',
			displayOptions: { show: showOnlyForCustom },
		},
		{
			displayName: 'Account Name',
			name: 'domainName',
			...requiredText,
			hint: 'Huawei Cloud console: your user name at the top right > My Credentials > API Credentials > Account Name',
			description: 'Name of the account that the IAM user belongs to',
			displayOptions: { show: showOnlyForPassword },
		},
		{
			displayName: 'IAM User Name',
			name: 'username',
			...requiredText,
			hint: 'On the same page. It has to be an IAM user with programmatic access: a Huawei ID gets no token.',
			description: 'Name of the IAM user',
			displayOptions: { show: showOnlyForPassword },
		},
		{
			displayName: 'Password',
			name: 'password',
			...requiredText,
			typeOptions: { password: true },
			hint: 'Five refused logins lock the account for 15 minutes',
			description: 'Password of the IAM user',
			displayOptions: { show: showOnlyForPassword },
		},
		{
			displayName: 'Access Key ID',
			name: 'accessKeyId',
			...requiredText,
			hint: 'Huawei Cloud console: your user name at the top right > My Credentials > Access Keys > Create Access Key',
			description: 'The AK of an IAM user: one of the project, or with an agency one of your own account',
			displayOptions: { show: showOnlyForKeys },
		},
		{
			displayName: 'Secret Access Key',
			name: 'secretAccessKey',
			...requiredText,
			typeOptions: { password: true },
			hint: 'In the file that is downloaded when the access key is created',
			description: 'The SK that belongs to the access key ID',
			displayOptions: { show: showOnlyForKeys },
		},
		{
			displayName: 'Security Token',
			name: 'securityToken',
			...text,
			typeOptions: { password: true },
			hint: 'Only for temporary keys; leave it blank for others',
			description: 'The token that comes with a temporary access key',
			displayOptions: { show: { authentication: ['accessKey'] } },
		},
		{
			displayName: 'Agency Account Name',
			name: 'agencyAccount',
			...requiredText,
			hint: 'The delegating account. Its owner finds the name under My Credentials > API Credentials > Account Name.',
			description: 'Name of the account that made the agency, and that n8n acts in',
			displayOptions: { show: { authentication: ['agency'] } },
		},
		{
			displayName: 'Agency Name',
			name: 'agencyName',
			...requiredText,
			hint: 'It has to trust the account of the access key, whose user needs the permission Agent Operator in IAM',
			description: 'Name of the agency, as the IAM console of that account shows it under Agencies',
			displayOptions: { show: { authentication: ['agency'] } },
		},
		{
			displayName: 'Project ID',
			name: 'projectId',
			...requiredText,
			placeholder: 'e.g. 0a1b2c3d4e5f60718293a4b5c6d7e8f9',
			hint: 'Huawei Cloud console: your user name at the top right > My Credentials > API Credentials',
			description: "ID of the project in the chosen region, unless the node's options give another",
		},
		{
			displayName: 'Workspace ID',
			name: 'workspaceId',
			...text,
			placeholder: 'e.g. 7f6e5d4c3b2a19080f1e2d3c4b5a6978',
			hint: 'DataArts Insight console: choose the workspace, then Project Management > Workspace Information. Blank for those who only own endpoint services.',
			description: "ID of the DataArts Insight workspace to act in, unless the node's options give another",
		},
		allowUnauthorizedCerts,
		// n8n fills these two in when its HTTP Request node logs in with the password, and empties none of them when
		// somebody changes the password: so the second says which login the first came from.
		{
			displayName: 'Session Token',
			name: 'sessionToken',
			type: 'hidden',
			typeOptions: { expirable: true, password: true },
			default: '',
		},
		{ displayName: 'Session Login', name: 'sessionLogin', type: 'hidden', default: '' },
	];

	/** Signs in a request of n8n's HTTP Request node. */
	authenticate(
		credentials: ICredentialDataDecryptedObject,
		requestOptions: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		return Promise.resolve(authenticateRequest(credentials, requestOptions));
	}

	/** Proves who calls, for n8n's HTTP Request node: before a request, and after one that failed. */
	async preAuthentication(
		this: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
	): Promise<IDataObject> {
		return await prepareCaller(this, credentials);
	}
}
