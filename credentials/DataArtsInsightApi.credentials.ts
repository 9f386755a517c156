import type {
	Icon,
	ICredentialDataDecryptedObject,
	ICredentialType,
	IHttpRequestOptions,
	INodeProperties,
} from 'n8n-workflow';

import { authenticationHeaders } from './authentication';

const allowUnauthorizedCerts: INodeProperties = {
	displayName: 'Ignore SSL Issues (Insecure)',
	name: 'allowUnauthorizedCerts',
	type: 'boolean',
	default: false,
	description: 'Whether to connect even if the certificate of the server cannot be verified',
};

/** What n8n needs to know to call DataArts Insight: who calls, from which project and workspace, and where. */
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
			displayOptions: { show: { region: ['custom'] } },
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
	];

	/** Signs in a request of n8n's HTTP Request node. */
	authenticate(
		credentials: ICredentialDataDecryptedObject,
		requestOptions: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const headers = { ...requestOptions.headers, ...authenticationHeaders(credentials) };
		return Promise.resolve({ ...requestOptions, headers });
	}
}
