import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import type { AccessKey } from './signature';
import { InputError } from '../errors/errors';

/** What an IAM user logs in with. */
export interface Login {
	/** Name of the account that the user belongs to. */
	domainName: string;
	username: string;
	password: string;
	/** The project that the token is for. */
	projectId: string;
}

/** How a credential says who calls. */
export type Authentication =
	| { mode: 'token'; token: string }
	| { mode: 'password'; login: Login; iamOrigin: string; allowUnauthorizedCerts: boolean }
	| { mode: 'accessKey'; accessKey: AccessKey; site: string };

/** A service of Huawei Cloud: its part of the host in a region, and the credential's field for other sites. */
export interface CloudService {
	host: string;
	field: string;
	label: string;
}

export const INSIGHT: CloudService = { host: 'dataartsinsight', field: 'baseUrl', label: 'Base URL' };
export const VPC_ENDPOINT: CloudService = { host: 'vpcep', field: 'vpcepUrl', label: 'VPC Endpoint URL' };
const IAM: CloudService = { host: 'iam', field: 'iamUrl', label: 'IAM URL' };

const PUBLIC_CLOUD = 'myhuaweicloud.com';

/** Who calls, and where: what a credential says, checked and ready to use. */
export interface Credential {
	/** Scheme, host and port of the service. */
	origin: string;
	projectId: string;
	workspaceId: string;
	authentication: Authentication;
	allowUnauthorizedCerts: boolean;
	/** What no item, error or log may show. */
	secrets: readonly string[];
}

const OPEN_CREDENTIAL = 'Open the credential that the node uses and';

/**
 * Reads a credential. Nothing is sent.
 *
 * @param service which one is called
 * @throws {InputError} that names the credential's field, if a value is missing or would change the address
 */
export function readCredential(credentials: ICredentialDataDecryptedObject, service = INSIGHT): Credential {
	const workspaceId = headerValue(credentials, 'workspaceId', 'Workspace ID');
	const projectId = credentialText(credentials, 'projectId');
	// The ID becomes a part of the path, so nothing that has a meaning in one may stand in it.
	if (!/^[\w-]+$/.test(projectId)) {
		throw new InputError(
			projectId
				? "'Project ID' in the credential holds characters that no project ID has"
				: "'Project ID' in the credential is blank",
			`${OPEN_CREDENTIAL} copy the ID from My Credentials > API Credentials in the Huawei Cloud console`,
		);
	}
	const { authentication, secrets } = readAuthentication(credentials, projectId);
	return {
		origin: allowedOrigin(credentials, service),
		projectId,
		workspaceId,
		authentication,
		allowUnauthorizedCerts: credentials.allowUnauthorizedCerts === true,
		secrets: secrets.filter(Boolean),
	};
}

/**
 * The service of the credential that an address belongs to. A credential's secrets are for these hosts only.
 *
 * @throws {InputError} if it is none of them
 */
export function serviceAt(credentials: ICredentialDataDecryptedObject, { origin, host }: URL): CloudService {
	const isCustom = credentialText(credentials, 'region') === 'custom';
	// Those without which this call can do are left out where they are blank.
	const services = [INSIGHT, IAM, VPC_ENDPOINT].filter(
		(service) => service === INSIGHT || !isCustom || credentialText(credentials, service.field),
	);
	const addresses = services.map((service) => originOf(credentials, service));
	const service = services[addresses.indexOf(origin)];
	if (service) return service;
	throw new InputError(
		`The credential is not for ${host || 'this address'}, so nothing was sent there`,
		`Call ${addresses.join(' or ')}, or change 'Region' or the custom address in the credential`,
	);
}

function readAuthentication(
	credentials: ICredentialDataDecryptedObject,
	projectId: string,
): { authentication: Authentication; secrets: string[] } {
	switch (credentials.authentication ?? 'token') {
		case 'token': {
			const token = headerValue(credentials, 'token', 'User Token');
			return { authentication: { mode: 'token', token }, secrets: [token] };
		}
		case 'password': {
			const login = {
				domainName: required(credentials, 'domainName', 'Account Name'),
				username: required(credentials, 'username', 'IAM User Name'),
				password: required(credentials, 'password', 'Password'),
				projectId,
			};
			const iamOrigin = allowedOrigin(credentials, IAM);
			const allowUnauthorizedCerts = credentials.allowUnauthorizedCerts === true;
			return {
				authentication: { mode: 'password', login, iamOrigin, allowUnauthorizedCerts },
				secrets: [login.password],
			};
		}
		case 'accessKey': {
			const securityToken = credentialText(credentials, 'securityToken');
			const accessKey = {
				accessKeyId: headerValue(credentials, 'accessKeyId', 'Access Key ID'),
				secretAccessKey: required(credentials, 'secretAccessKey', 'Secret Access Key'),
				securityToken: securityToken && headerValue(credentials, 'securityToken', 'Security Token'),
			};
			const site = siteOf(originOf(credentials, INSIGHT));
			return {
				authentication: { mode: 'accessKey', accessKey, site },
				secrets: [accessKey.secretAccessKey, securityToken],
			};
		}
		default:
			throw new InputError(
				"'Authentication' in the credential has an unknown value",
				`${OPEN_CREDENTIAL} choose one from the list`,
			);
	}
}

/**
 * The text of a credential's field, without the blanks and line breaks that come along when a value is pasted. Anything
 * but text counts as blank.
 */
export function credentialText(credentials: ICredentialDataDecryptedObject, field: string): string {
	const value = credentials[field];
	return typeof value === 'string' ? value.trim() : '';
}

function required(credentials: ICredentialDataDecryptedObject, field: string, label: string): string {
	const value = credentialText(credentials, field);
	if (value) return value;
	throw new InputError(`'${label}' in the credential is blank`, `${OPEN_CREDENTIAL} fill in '${label}'`);
}

function headerValue(credentials: ICredentialDataDecryptedObject, field: string, label: string): string {
	const value = required(credentials, field, label);
	if (/^[\x21-\x7e]+$/.test(value)) return value;
	throw new InputError(
		`'${label}' in the credential holds a blank, a line break or a character that no header can carry`,
		`${OPEN_CREDENTIAL} paste '${label}' again, without anything around it`,
	);
}

/** Accounts and keys are those of a whole site, whatever the region. */
export function siteOf(origin: string): string {
	return origin.endsWith(`.${PUBLIC_CLOUD}`) ? PUBLIC_CLOUD : origin;
}

/** @throws {InputError} if the credential's `Allowed Domains`, which n8n adds to its form, leave the service out */
function allowedOrigin(credentials: ICredentialDataDecryptedObject, service: CloudService): string {
	const origin = originOf(credentials, service);
	// 'None' is about n8n's HTTP Request node alone.
	if (credentials.allowedHttpRequestDomains !== 'domains') return origin;
	const { hostname } = new URL(origin);
	const domains = credentialText(credentials, 'allowedDomains')
		.split(',')
		.map((domain) => domain.trim().toLowerCase().replace(/\.$/, ''));
	// As n8n reads them: a star stands for subdomains only.
	const isAllowed = domains.some((domain) =>
		domain.startsWith('*.') ? domain.length > 2 && hostname.endsWith(domain.slice(1)) : domain === hostname,
	);
	if (isAllowed) return origin;
	throw new InputError(
		`'Allowed Domains' in the credential leave out ${hostname}`,
		`${OPEN_CREDENTIAL} add ${hostname} to 'Allowed Domains'`,
	);
}

/**
 * The address of a service in the credential's region, or the one that the credential gives for `custom`.
 *
 * Source: Huawei Cloud, "Endpoints" in the API References of DataArts Insight, IAM and VPC Endpoint.
 */
function originOf(credentials: ICredentialDataDecryptedObject, { host, field, label }: CloudService): string {
	const region = credentialText(credentials, 'region');
	if (region !== 'custom') {
		// A region from an expression must not lead a secret to another host.
		if (!/^[a-z]+(-[a-z]+)+-\d+$/.test(region)) {
			throw new InputError(
				"'Region' in the credential is not the ID of a region",
				`${OPEN_CREDENTIAL} choose a region, or 'Custom Address' for another site`,
			);
		}
		return `https://${host}.${region}.${PUBLIC_CLOUD}`;
	}

	const address = required(credentials, field, label);
	const url = URL.canParse(address) ? new URL(address) : undefined;
	if (!url || !['https:', 'http:'].includes(url.protocol)) {
		throw new InputError(
			`'${label}' in the credential is not a web address`,
			`${OPEN_CREDENTIAL} enter an address such as https://${host}.example.com`,
		);
	}
	if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
		throw new InputError(
			`'${label}' in the credential holds more than a host`,
			`${OPEN_CREDENTIAL} leave only the scheme, the host and the port: the node adds the path`,
		);
	}
	if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
		throw new InputError(
			`'${label}' in the credential is not encrypted`,
			`${OPEN_CREDENTIAL} begin the address with https:// so that no secret can be read on its way`,
		);
	}
	return url.origin;
}

function isLoopback(hostname: string): boolean {
	return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
