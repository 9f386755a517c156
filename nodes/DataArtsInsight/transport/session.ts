import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { authenticationHeaders, credentialText } from '../../../credentials/authentication';
import { InputError } from './errors';

/** Who calls, and where: what a credential says, checked and ready to send. */
export interface Session {
	/** Scheme, host and port of DataArts Insight. */
	origin: string;
	projectId: string;
	headers: Record<string, string>;
	allowUnauthorizedCerts: boolean;
	/** What no item, error or log may show. */
	secrets: readonly string[];
}

const OPEN_CREDENTIAL = 'Open the credential that the node uses and';

/**
 * Reads a credential. Nothing is sent.
 *
 * @throws {InputError} that names the credential's field, if a value is missing or would change the address
 */
export function openSession(credentials: ICredentialDataDecryptedObject): Session {
	const headers = authenticationHeaders(credentials);
	requireHeaderValue(headers['X-Auth-Token'], 'User Token');
	requireHeaderValue(headers['X-Workspace-Id'], 'Workspace ID');

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

	return {
		origin: originOf(credentials),
		projectId,
		headers,
		allowUnauthorizedCerts: credentials.allowUnauthorizedCerts === true,
		secrets: [credentialText(credentials, 'token')],
	};
}

function requireHeaderValue(value: string | undefined, field: string) {
	if (!value) {
		throw new InputError(`'${field}' in the credential is blank`, `${OPEN_CREDENTIAL} fill in '${field}'`);
	}
	if (!/^[\x21-\x7e]+$/.test(value)) {
		throw new InputError(
			`'${field}' in the credential holds a blank, a line break or a character that no header can carry`,
			`${OPEN_CREDENTIAL} paste '${field}' again, without anything around it`,
		);
	}
}

/** Source: Huawei Cloud, DataArts Insight API Reference, "Endpoints". */
function originOf(credentials: ICredentialDataDecryptedObject): string {
	const region = credentialText(credentials, 'region');
	if (region !== 'custom') {
		// A region from an expression must not lead the token to another host.
		if (!/^[a-z]+(-[a-z]+)+-\d+$/.test(region)) {
			throw new InputError(
				"'Region' in the credential is not the ID of a region",
				`${OPEN_CREDENTIAL} choose a region, or 'Custom Address' for another site`,
			);
		}
		return `https://dataartsinsight.${region}.myhuaweicloud.com`;
	}

	const baseUrl = credentialText(credentials, 'baseUrl');
	const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
	if (!url || !['https:', 'http:'].includes(url.protocol)) {
		throw new InputError(
			baseUrl ? "'Base URL' in the credential is not a web address" : "'Base URL' in the credential is blank",
			`${OPEN_CREDENTIAL} enter an address such as https://dataartsinsight.example.com`,
		);
	}
	if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
		throw new InputError(
			"'Base URL' in the credential holds more than a host",
			`${OPEN_CREDENTIAL} leave only the scheme, the host and the port: the path belongs to the call`,
		);
	}
	if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
		throw new InputError(
			"'Base URL' in the credential is not encrypted",
			`${OPEN_CREDENTIAL} begin the address with https:// so that the token cannot be read on its way`,
		);
	}
	return url.origin;
}

function isLoopback(hostname: string): boolean {
	return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
