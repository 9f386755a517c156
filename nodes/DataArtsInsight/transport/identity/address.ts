import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { InputError } from '../errors/errors';
import { credentialText, OPEN_CREDENTIAL, required } from './fields';

/** A service of Huawei Cloud: its part of the host in a region, and the credential's field for other sites. */
export interface CloudService {
	host: string;
	field: string;
	label: string;
}

export const INSIGHT: CloudService = { host: 'dataartsinsight', field: 'baseUrl', label: 'Base URL' };
export const VPC_ENDPOINT: CloudService = { host: 'vpcep', field: 'vpcepUrl', label: 'VPC Endpoint URL' };
export const IAM: CloudService = { host: 'iam', field: 'iamUrl', label: 'IAM URL' };

const PUBLIC_CLOUD = 'myhuaweicloud.com';

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

/** The site of a service. Accounts and keys are those of a whole site, whatever the region. */
export function siteOf(credentials: ICredentialDataDecryptedObject, service: CloudService): string {
	const origin = originOf(credentials, service);
	const suffix = isOther(credentials) ? domainSuffixOf(credentials) : PUBLIC_CLOUD;
	return origin.endsWith(`.${suffix}`) ? suffix : origin;
}

/** @throws {InputError} if the credential's `Allowed Domains`, which n8n adds to its form, leave the service out */
export function allowedOrigin(credentials: ICredentialDataDecryptedObject, service: CloudService): string {
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
export function originOf(credentials: ICredentialDataDecryptedObject, service: CloudService): string {
	const region = credentialText(credentials, 'region');
	if (region === 'custom') return customOrigin(credentials, service);
	if (isOther(credentials)) return otherOrigin(credentials, service);
	// A region from an expression must not lead a secret to another host.
	if (!/^[a-z]+(-[a-z]+)+-\d+$/.test(region)) {
		throw new InputError(
			"'Region' in the credential is not the ID of a region",
			`${OPEN_CREDENTIAL} choose a region, or 'Other Region' for one that is not in the list`,
		);
	}
	return `https://${service.host}.${region}.${PUBLIC_CLOUD}`;
}

function isOther(credentials: ICredentialDataDecryptedObject): boolean {
	return credentialText(credentials, 'region') === 'other';
}

/** A part of a host name, between its dots. */
const LABEL = '[a-z\\d](?:[a-z\\d-]{0,61}[a-z\\d])?';
const REGION_ID = new RegExp(`^${LABEL}$`, 'i');
/** The last part is no number, so the name is no IP address. */
const DOMAIN_SUFFIX = new RegExp(`^(?:${LABEL}\\.)+[a-z]{2,63}$`, 'i');

/** The address of a service in a region that the list does not name. Its host ends in the suffix, whatever was entered. */
function otherOrigin(credentials: ICredentialDataDecryptedObject, { host }: CloudService): string {
	const regionId = required(credentials, 'regionId', 'Region ID');
	if (!REGION_ID.test(regionId)) {
		throw new InputError(
			"'Region ID' in the credential is not the ID of a region",
			`${OPEN_CREDENTIAL} enter the ID alone, such as ap-southeast-3: letters, digits and dashes`,
		);
	}
	const hostname = `${host}.${regionId.toLowerCase()}.${domainSuffixOf(credentials)}`;
	const origin = `https://${hostname}`;
	// How an address is read decides where a secret goes, and a part may have a meaning there, such as `xn--`.
	if (hostname.length <= MAX_HOST && URL.canParse(origin) && new URL(origin).origin === origin) return origin;
	throw new InputError(
		"'Region ID' and 'Domain Suffix' in the credential make up no host name",
		`${OPEN_CREDENTIAL} copy both from the list of endpoints of the site`,
	);
}

/** The longest host name, in characters. */
const MAX_HOST = 253;

function domainSuffixOf(credentials: ICredentialDataDecryptedObject): string {
	const suffix = required(credentials, 'domainSuffix', 'Domain Suffix');
	if (DOMAIN_SUFFIX.test(suffix)) return suffix.toLowerCase();
	throw new InputError(
		"'Domain Suffix' in the credential is not the end of a host name",
		`${OPEN_CREDENTIAL} enter what follows the region's ID in the host names of the site, such as ${PUBLIC_CLOUD}, without a scheme, port or path`,
	);
}

function customOrigin(
	credentials: ICredentialDataDecryptedObject,
	{ host, field, label }: CloudService,
): string {
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
