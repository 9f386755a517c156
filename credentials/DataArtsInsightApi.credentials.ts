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
const showOnlyForToken = { authentication: ['token'] };
const showOnlyForPassword = { authentication: ['password'] };
const showOnlyForAccessKey = { authentication: ['accessKey'] };

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
			description: 'Where the workspace is, as the DataArts Insight console shows it at the top left',
			options: [
				{ name: 'CN East-Shanghai1', value: 'cn-east-3' },
				{ name: 'CN North-Beijing4', value: 'cn-north-4' },
				{ name: 'CN North-Ulanqab1', value: 'cn-north-9' },
				{ name: 'CN South-Guangzhou', value: 'cn-south-1' },
				{ name: 'CN Southwest-Guiyang1', value: 'cn-southwest-2' },
				{ name: 'Custom Address', value: 'custom' },
			],
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. https://dataartsinsight.example.com',
			description: 'Address of DataArts Insight on another site or in a private cloud, without a path',
			displayOptions: { show: showOnlyForCustom },
		},
		{
			displayName: 'Authentication',
			name: 'authentication',
			type: 'options',
			default: 'token',
			description:
				'How n8n proves who calls. Only the password and the access key go on working by themselves.',
			options: [
				{
					name: 'Access Key (AK/SK)',
					value: 'accessKey',
					description: 'Signs each request. Lasts, and is what Huawei Cloud recommends.',
				},
				{
					name: 'Password',
					value: 'password',
					description: 'Logs in an IAM user and renews the token when it ends',
				},
				{
					name: 'User Token',
					value: 'token',
					description: 'Uses a token that you fetched yourself. It ends after 24 hours.',
				},
			],
		},
		{
			displayName: 'User Token',
			name: 'token',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			hint: 'From IAM (POST /v3/auth/tokens, response header X-Subject-Token), scoped to the project. It is valid for 24 hours.',
			description: 'The token of an IAM user of the project, got from IAM in the same region',
			displayOptions: { show: showOnlyForToken },
		},
		{
			displayName: 'IAM URL',
			name: 'iamUrl',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. https://iam.example.com',
			description: 'Address of IAM on the same site, without a path',
			displayOptions: { show: { ...showOnlyForCustom, ...showOnlyForPassword } },
		},
		{
			displayName: 'VPC Endpoint URL',
			name: 'vpcepUrl',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://vpcep.example.com',
			hint: 'Only needed to pick endpoint services from a list',
			description: 'Address of the VPC Endpoint service on the same site, without a path',
			displayOptions: { show: showOnlyForCustom },
		},
		{
			displayName: 'Account Name',
			name: 'domainName',
			type: 'string',
			default: '',
			required: true,
			hint: 'Huawei Cloud console: your user name at the top right > My Credentials > API Credentials > Account Name',
			description: 'Name of the account that the IAM user belongs to',
			displayOptions: { show: showOnlyForPassword },
		},
		{
			displayName: 'IAM User Name',
			name: 'username',
			type: 'string',
			default: '',
			required: true,
			hint: 'On the same page. It has to be an IAM user with programmatic access: a Huawei ID gets no token.',
			description: 'Name of the IAM user',
			displayOptions: { show: showOnlyForPassword },
		},
		{
			displayName: 'Password',
			name: 'password',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			hint: 'Five refused logins lock the account for 15 minutes',
			description: 'Password of the IAM user',
			displayOptions: { show: showOnlyForPassword },
		},
		{
			displayName: 'Access Key ID',
			name: 'accessKeyId',
			type: 'string',
			default: '',
			required: true,
			hint: 'Huawei Cloud console: your user name at the top right > My Credentials > Access Keys > Create Access Key',
			description: 'The AK of an IAM user of the project',
			displayOptions: { show: showOnlyForAccessKey },
		},
		{
			displayName: 'Secret Access Key',
			name: 'secretAccessKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			hint: 'In the file that is downloaded when the access key is created',
			description: 'The SK that belongs to the access key ID',
			displayOptions: { show: showOnlyForAccessKey },
		},
		{
			displayName: 'Security Token',
			name: 'securityToken',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			hint: 'Only for temporary keys; leave it blank for others',
			description: 'The token that comes with a temporary access key',
			displayOptions: { show: showOnlyForAccessKey },
		},
		{
			displayName: 'Project ID',
			name: 'projectId',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. 0a1b2c3d4e5f60718293a4b5c6d7e8f9',
			hint: 'Huawei Cloud console: your user name at the top right > My Credentials > API Credentials',
			description: 'ID of the project in the chosen region',
		},
		{
			displayName: 'Workspace ID',
			name: 'workspaceId',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. 7f6e5d4c3b2a19080f1e2d3c4b5a6978',
			hint: 'DataArts Insight console: choose the workspace, then Project Management > Workspace Information',
			description: 'ID of the DataArts Insight workspace that the data source is for',
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

	/** Logs in, or tries the access key, for n8n's HTTP Request node: before a request, and after one that failed. */
	async preAuthentication(
		this: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
	): Promise<IDataObject> {
		return await prepareCaller(this, credentials);
	}
}
