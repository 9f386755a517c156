import { MAX_HEADERS_SIZE } from '../network/connection';
import { ProxyRefusal } from '../network/connector';
import { MAX_ANSWER_SIZE, type StopReason } from '../network/exchange';

const ASK_FOR_PERMISSION =
	'Ask an administrator to grant this IAM user the permissions for DataArts Insight in the project';
const CHECK_WORKSPACE_SETTINGS =
	"Open the workspace in the DataArts Insight console, check that this user is a member of it, and compare its ID with 'Workspace ID' in the credential";
const CHECK_ENDPOINT_SERVICE =
	'Check the name or ID of the endpoint service in the VPC Endpoint console of its owner, and that it is in the region of the credential';
const CHECK_ADDRESS = "Check 'Region' or the custom address in the credential";
const CHECK_VALUES = 'Check the values of the node and of the credential';
const SERVICE_SIDE =
	'The service could not handle the call. Wait a minute; if it goes on, ask Huawei Cloud support';
const WAIT_AND_RERUN =
	'The service takes no more calls for the moment. Wait a minute, then run the node again with a lower Max Concurrency';

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
	['DataArtsInsight.20010003', ASK_FOR_PERMISSION],
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
		"Copy the ID of a workspace of this project from the DataArts Insight console into 'Workspace ID' in the credential",
	],
	...OTHER_WORKSPACE_CODES.map((code): [string, string] => [code, CHECK_WORKSPACE_SETTINGS]),

	[
		'APIGW.0101',
		"The address does not offer this API. Check 'Region' or the custom address in the credential",
	],
	[
		'APIGW.0103',
		"The address has no service behind it. Check 'Region' or the custom address in the credential",
	],
	['APIGW.0201', CHECK_VALUES],
	['APIGW.0302', ASK_FOR_PERMISSION],
	[
		'APIGW.0307',
		"The token is of another region or has to be renewed. Compare 'Region' in the credential with the IAM address that the token came from",
	],
	['APIGW.0308', WAIT_AND_RERUN],
	[
		'APIGW.0310',
		"The project cannot be used with this token. Compare 'Project ID' and 'Region' in the credential with My Credentials > API Credentials in the Huawei Cloud console",
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
	['APIGW.0801', "DataArts Insight is not available to you in this region. Check 'Region' in the credential"],
	['APIGW.0802', "This user is not available in this region. Check 'Region' in the credential"],

	['IAM.0002', ASK_FOR_PERMISSION],
	['IAM.0003', ASK_FOR_PERMISSION],
	['IAM.0012', WAIT_AND_RERUN],
	['IAM.0061', 'The Huawei Cloud account is locked. Wait 15 minutes before you log in again'],
	[
		'IAM.0062',
		'IAM did not accept the password. Correct it before you run the node again: five refusals lock the account',
	],
	['IAM.0081', 'This user may only use the console. Enable programmatic access for it in the IAM console'],
	['IAM.0082', 'This user is disabled. Enable it in the IAM console'],

	['EndPoint.0022', WAIT_AND_RERUN],
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
	['EndPoint.3062', "Check 'Endpoint Service ID': the owner finds it in the VPC Endpoint console"],
]);

/** What to do where only the HTTP status is known. */
const ADVICE_BY_STATUS = new Map([
	[403, ASK_FOR_PERMISSION],
	[
		404,
		"Check the name or ID of the endpoint service, and 'Region', 'Project ID' and 'Workspace ID' in the credential",
	],
	[
		407,
		'The proxy that n8n uses asks for a login. Check HTTPS_PROXY and ALL_PROXY in the environment of n8n',
	],
	[429, WAIT_AND_RERUN],
]);

/**
 * What to do about a refusal, as a sentence without its full stop.
 *
 * @param code the service's error code; dedicated gateways write `APIG.` for `APIGW.`
 * @param status the HTTP status
 * @returns nothing for a 401 that says no more than that: it depends on how the caller proves who they are
 */
export function adviceFor(code: string, status: number): string | undefined {
	const known = ADVICE.get(code.replace('APIG.', 'APIGW.')) ?? ADVICE_BY_STATUS.get(status);
	if (known ?? status === 401) return known;
	return status < 500 ? CHECK_VALUES : SERVICE_SIDE;
}

/** What is said of a call that was ended from this side. */
export const STOPPED: Record<StopReason, { code: string; message: string; advice: string }> = {
	timeout: {
		code: 'TIMEOUT',
		message: 'The service did not answer in time',
		advice: "Raise 'Timeout' in the options if the service needs longer",
	},
	tooLarge: {
		code: 'ANSWER_TOO_LARGE',
		message: `The answer was larger than ${MAX_ANSWER_SIZE / 1024 / 1024} MiB and was cut off`,
		advice: 'Check that the custom address in the credential is that of the service',
	},
	headersTooLarge: {
		code: 'ANSWER_TOO_LARGE',
		message: `The headers of the answer were larger than ${MAX_HEADERS_SIZE / 1024} KiB and were cut off`,
		advice: 'Check that the custom address in the credential is that of the service',
	},
	cancelled: {
		code: 'CANCELLED',
		message: 'The execution was canceled while the call was under way',
		advice: 'Start the workflow again when you want to go on',
	},
};

/**
 * Why no connection came about, and what to do about it.
 *
 * @param cause the network's error, with a code of Node.js's or undici's, or the proxy's answer
 * @returns `lasting` where trying again cannot help
 */
export function whyNotConnected(cause: Error & { code?: string }): {
	reason: string;
	advice: string;
	lasting?: boolean;
} {
	if (cause instanceof ProxyRefusal) {
		if (cause.reached) {
			return {
				reason: `the proxy could not reach the service and answered with ${cause.answer}`,
				advice: `${CHECK_ADDRESS}, and whether the proxy can reach the service`,
			};
		}
		return {
			reason: `the proxy refused it with ${cause.answer}`,
			advice:
				'Check HTTPS_PROXY and ALL_PROXY in the environment of n8n, and the login in them. If they are right, ask whoever runs the proxy to allow the service',
			lasting: true,
		};
	}
	const { code = '' } = cause;
	switch (code) {
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return {
				reason: 'the host name could not be resolved',
				advice: `${CHECK_ADDRESS} and the name resolution of the machine that runs n8n`,
			};
		case 'ECONNREFUSED':
			return { reason: 'it was refused', advice: `${CHECK_ADDRESS}, above all the port` };
		case 'ETIMEDOUT':
		case 'EHOSTUNREACH':
		case 'ENETUNREACH':
		case 'UND_ERR_CONNECT_TIMEOUT':
			return {
				reason: 'the host did not answer',
				advice: `${CHECK_ADDRESS} and whether a firewall or a proxy stands between n8n and the service`,
			};
		case 'CERT_HAS_EXPIRED':
			return untrusted(
				'its certificate has expired',
				code,
				'Ask whoever runs the service to renew the certificate, and check the clock of the machine that runs n8n',
			);
		case 'CERT_NOT_YET_VALID':
			return untrusted(
				'its certificate is not valid yet',
				code,
				'Check the clock of the machine that runs n8n, or ask whoever runs the service',
			);
		case 'ERR_TLS_CERT_ALTNAME_INVALID':
			return untrusted(
				'its certificate is for another host',
				code,
				`${CHECK_ADDRESS}: it has to be the name that the certificate is for`,
			);
	}
	if (/^(CERT_|ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)/.test(code)) {
		return untrusted(
			'its certificate is not trusted',
			code,
			'Let n8n know the certificate authority through NODE_EXTRA_CA_CERTS',
		);
	}
	return {
		reason: code ? `it broke off (${code})` : 'it broke off',
		advice: `${CHECK_ADDRESS} and the network between n8n and the service`,
	};
}

function untrusted(what: string, code: string, remedy: string) {
	return {
		reason: `${what} (${code})`,
		advice: `${remedy}, or turn on 'Ignore SSL Issues (Insecure)' in the credential if you trust the network`,
		lasting: true,
	};
}
