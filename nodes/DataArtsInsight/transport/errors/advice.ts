import type { Advice } from './errors';

const ASK_FOR_PERMISSION =
	'Ask an administrator to grant this IAM user the permissions for DataArts Insight in the project';
/** Where the ID of the workspace may have come from. */
const WORKSPACE_ID =
	"'Workspace ID' in the credential, or with 'Workspace' in the options of the node if it is set there";
const CHECK_WORKSPACE_SETTINGS = `Open the workspace in the DataArts Insight console, check that this user is a member of it, and compare its ID with ${WORKSPACE_ID}`;
const CHECK_ENDPOINT_SERVICE =
	'Check the name or ID of the endpoint service in the VPC Endpoint console of its owner, and that it is in the region of the credential';
const SERVICE_SIDE =
	'The service could not handle the request. Wait a minute; if it goes on, ask Huawei Cloud support';

const OTHER_WORKSPACE_CODES = [0, 1, 2, 3, 10, 11, 12, 20, 21, 22].map(
	(number) => `DataArtsInsight.${24150000 + number}`,
);

/**
 * What to do about an error code, as one sentence without its full stop.
 *
 * Sources: Huawei Cloud, DataArts Insight API Reference, "Error Codes"; API Gateway, "Error Codes"; IAM API
 * Reference, "Error Codes"; VPC Endpoint API Reference, "Error Codes".
 */
const ADVICE = new Map([
	['DataArtsInsight.24010003', CHECK_ENDPOINT_SERVICE],
	[
		'DataArtsInsight.24010043',
		'Ask the administrator of the workspace to give this user a role with permission for data connections',
	],
	[
		'DataArtsInsight.24150004',
		'Open the workspace in the DataArts Insight console: it has to be in its normal state before it can be used',
	],
	[
		'DataArtsInsight.24150005',
		`There is no such workspace in this project. Compare its ID in the DataArts Insight console with ${WORKSPACE_ID}`,
	],
	...OTHER_WORKSPACE_CODES.map((code): [string, string] => [code, CHECK_WORKSPACE_SETTINGS]),

	[
		'APIGW.0101',
		'The address does not offer this API. Check the region or the custom address in the credential',
	],
	[
		'APIGW.0103',
		'The address has no service behind it. Check the region or the custom address in the credential',
	],
	[
		'APIGW.0307',
		"The token is of another region or has to be renewed. Compare 'Region' in the credential with the IAM address that the token came from",
	],
	[
		'APIGW.0310',
		"The project cannot be used with this token or access key. Compare My Credentials > API Credentials in the Huawei Cloud console with 'Region' and 'Project ID' in the credential, or with 'Project ID' in the options of the node if it is set there",
	],
	[
		'APIGW.0401',
		'The gateway cannot tell the address that n8n calls from. Ask the administrator of the service',
	],
	['APIGW.0402', 'Ask the administrator of the service to allow the address that n8n calls from'],
	['APIGW.0501', 'The quota of this API is used up. Wait until it is renewed, or ask for a higher one'],
	['APIGW.0502', 'The quota of this API is frozen. Ask the administrator of the Huawei Cloud account'],
	[
		'APIGW.0613',
		'IAM is not available for the moment, so nobody can be authenticated. Wait a minute, then run the node again',
	],
	['APIGW.0801', "The service is not available to you in this region. Check 'Region' in the credential"],
	['APIGW.0802', "This user is not available in this region. Check 'Region' in the credential"],

	['IAM.0061', 'The Huawei Cloud account is locked. Wait 15 minutes before you log in again'],
	[
		'IAM.0062',
		'IAM did not accept the password. Correct it before you run the node again: five refusals lock the account',
	],
	['IAM.0081', 'This user may only use the console. Enable programmatic access for it in the IAM console'],
	['IAM.0082', 'This user is disabled. Enable it in the IAM console'],

	['EndPoint.0001', SERVICE_SIDE],
	[
		'EndPoint.1018',
		'A quota of the VPC Endpoint service is used up. Delete what is no longer needed, or ask Huawei Cloud for a higher quota',
	],
	['EndPoint.2003', CHECK_ENDPOINT_SERVICE],
	[
		'EndPoint.2004',
		'The endpoint service is not available. Ask its owner to check its state in the VPC Endpoint console',
	],
	[
		'EndPoint.2012',
		"DataArts Insight is not on the endpoint service's whitelist. Ask the owner of the endpoint service to add the domain ID of DataArts Insight to it",
	],
	[
		'EndPoint.2014',
		'The endpoint service is connected already. Run the node again to see the state of the endpoint',
	],
	['EndPoint.2019', 'The endpoint is being created. Wait a minute, then run the node again to see its state'],
	[
		'EndPoint.2022',
		'The endpoint could not be created. Ask the owner of the endpoint service to check it, then run the node again',
	],
	[
		'EndPoint.2045',
		"The endpoint service's whitelist is full. Remove a permission from it in the VPC Endpoint console, then run the node again",
	],
	['EndPoint.2051', 'The endpoint service is being switched. Wait a minute, then run the node again'],
	['EndPoint.3062', 'Check the ID of the endpoint service: its owner finds it in the VPC Endpoint console'],
]);

/** Codes about which the caller itself can do something. */
const ADVICE_OF_CALLER = new Map<string | number, keyof Advice>([
	['APIGW.0201', 'invalid'],
	['APIGW.0302', 'forbidden'],
	['APIGW.0308', 'throttled'],
	['DataArtsInsight.20010003', 'forbidden'],
	['IAM.0002', 'forbidden'],
	['IAM.0003', 'forbidden'],
	['IAM.0012', 'throttled'],
	['EndPoint.0002', 'invalid'],
	['EndPoint.0004', 'forbidden'],
	['EndPoint.0005', 'notFound'],
	['EndPoint.0022', 'throttled'],
	['EndPoint.2003', 'notFound'],
	[403, 'forbidden'],
	[404, 'notFound'],
	[429, 'throttled'],
]);

/** What to do where the caller has no advice of its own. */
const GENERAL: Required<Advice> = {
	invalid: 'Check the values of the credential',
	forbidden: ASK_FOR_PERMISSION,
	notFound: "Check 'Region', 'Project ID' and 'Workspace ID' in the credential",
	throttled: 'The service takes no more requests for the moment. Wait a minute, then try again',
	timeout: 'Check the network between n8n and Huawei Cloud, then try again',
};

/** What to do where only the HTTP status is known. */
const ADVICE_BY_STATUS = new Map([
	[
		407,
		'The proxy that n8n uses asks for a login. Check HTTPS_PROXY and ALL_PROXY in the environment of n8n',
	],
]);

/**
 * What to do about a refusal, as a sentence without its full stop.
 *
 * @param code the service's error code; dedicated gateways write `APIG.` for `APIGW.`
 * @param status the HTTP status
 * @param own what the caller can do
 * @returns nothing for a 401 that says no more than that: it depends on how the caller proves who they are
 */
export function adviceFor(code: string, status: number, own?: Advice): string | undefined {
	const name = code.replace('APIG.', 'APIGW.');
	const kind = ADVICE_OF_CALLER.get(name);
	const known = (kind && own?.[kind]) ?? ADVICE.get(name);
	if (known) return known;
	const general = kind ?? ADVICE_OF_CALLER.get(status);
	if (general) return adviceOn(general, own);
	const byStatus = ADVICE_BY_STATUS.get(status);
	if (byStatus ?? status === 401) return byStatus;
	return status < 500 ? adviceOn('invalid', own) : SERVICE_SIDE;
}

/** @returns what the caller can do, or what anybody can */
export function adviceOn(kind: keyof Advice, own?: Advice): string {
	return own?.[kind] ?? GENERAL[kind];
}

/**
 * What to do where an IAM user lacks permissions for the VPC Endpoint service, as a sentence without its full stop.
 *
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Permissions Policies and Supported Actions".
 *
 * @param byId the permission that the call takes
 * @param byName the one that it takes as well where the endpoint service is given by its name
 */
export function missingPermission(byId: string, byName?: string): string {
	const more = byName === undefined ? '' : ` (and ${byName}, to find an endpoint service by its name)`;
	return `Ask an administrator to grant this IAM user, or the agency that it acts through, the permission ${byId}${more} in the project, or the role VPCEndpoint Administrator`;
}
