import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { InputError } from '../errors/errors';
import { allowedOrigin, type CloudService, IAM, INSIGHT, siteOf } from './address';
import { credentialText, headerValue, isHeaderValue, OPEN_CREDENTIAL, required } from './fields';
import type { AccessKey } from './signature';

/** What an IAM user logs in with. */
export interface Login {
	/** Name of the account that the user belongs to. */
	domainName: string;
	username: string;
	password: string;
	/** The project that the token is for. */
	projectId: string;
}

/** An agency: another account lets somebody act in its name. */
export interface Agency {
	/** Name of the account that is acted for. */
	account: string;
	name: string;
}

/** IAM, where it has to be asked before a request can be sent. */
interface Iam {
	iamOrigin: string;
	allowUnauthorizedCerts: boolean;
	/** The site whose accounts and keys these are. */
	site: string;
}

/** How a credential says who calls. */
export type Authentication =
	| { mode: 'token'; token: string }
	| ({ mode: 'password'; login: Login } & Iam)
	| { mode: 'accessKey'; accessKey: AccessKey; site: string }
	| ({ mode: 'agency'; accessKey: AccessKey; agency: Agency } & Iam);

/** Who calls, and where: what a credential says, checked and ready to use. */
export interface Credential {
	/** Scheme, host and port of the service. */
	origin: string;
	projectId: string;
	/** Only requests to DataArts Insight are for a workspace, and not all of them. */
	workspaceId?: string;
	authentication: Authentication;
	allowUnauthorizedCerts: boolean;
	/** What no item, error or log may show. */
	secrets: readonly string[];
}

/** The project and the workspace that a call is for, where they are not those of the credential. */
export interface Place {
	projectId?: string;
	workspaceId?: string;
}

/**
 * Reads a credential. Nothing is sent.
 *
 * @param service which one is called
 * @param place what the node's options put in the place of the credential's values
 * @throws {InputError} that names the field, if a value is missing or would change the address
 */
export function readCredential(
	credentials: ICredentialDataDecryptedObject,
	service: CloudService = INSIGHT,
	place: Place = {},
): Credential {
	const inProject = readProjectCredential(credentials, service, place);
	if (service !== INSIGHT) return inProject;
	return { ...inProject, workspaceId: readWorkspaceId(credentials, place) };
}

/**
 * Reads a credential for requests that are about a whole project, so that its workspace may be blank.
 *
 * @throws {InputError} that names the field, if a value is missing or would change the address
 */
export function readProjectCredential(
	credentials: ICredentialDataDecryptedObject,
	service: CloudService,
	place: Pick<Place, 'projectId'> = {},
): Credential {
	const projectId = readProjectId(credentials, place);
	const { authentication, secrets } = readAuthentication(credentials, projectId);
	return {
		origin: allowedOrigin(credentials, service),
		projectId,
		authentication,
		allowUnauthorizedCerts: credentials.allowUnauthorizedCerts === true,
		secrets: secrets.filter(Boolean),
	};
}

/** The ID becomes a part of the path, so nothing that has a meaning in one may stand in it. */
function readProjectId(credentials: ICredentialDataDecryptedObject, place: Pick<Place, 'projectId'>): string {
	const isOption = place.projectId !== undefined;
	const projectId = place.projectId ?? credentialText(credentials, 'projectId');
	if (/^[\w-]+$/.test(projectId)) return projectId;
	const label = `'Project ID' in the ${isOption ? 'options' : 'credential'}`;
	throw new InputError(
		projectId ? `${label} holds characters that no project ID has` : `${label} is blank`,
		isOption
			? "Correct 'Project ID' in the options, or remove it there to use that of the credential"
			: `${OPEN_CREDENTIAL} copy the ID from My Credentials > API Credentials in the Huawei Cloud console`,
	);
}

function readWorkspaceId(credentials: ICredentialDataDecryptedObject, place: Place): string {
	if (place.workspaceId === undefined) {
		if (credentialText(credentials, 'workspaceId')) {
			return headerValue(credentials, 'workspaceId', 'Workspace ID');
		}
		throw new InputError(
			"'Workspace ID' in the credential is blank",
			`${OPEN_CREDENTIAL} fill in 'Workspace ID', or add 'Workspace' to the options of the node`,
		);
	}
	if (isHeaderValue(place.workspaceId)) return place.workspaceId;
	throw new InputError(
		place.workspaceId
			? "'Workspace' in the options holds a blank, a line break or a character that no header can carry"
			: "'Workspace' in the options is blank",
		"Correct 'Workspace' in the options, or remove it there to use that of the credential",
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
			return {
				authentication: { mode: 'password', login, ...readIam(credentials) },
				secrets: [login.password],
			};
		}
		case 'accessKey': {
			const securityToken = credentialText(credentials, 'securityToken');
			const accessKey = {
				...readAccessKey(credentials),
				securityToken: securityToken && headerValue(credentials, 'securityToken', 'Security Token'),
			};
			const site = siteOf(credentials, INSIGHT);
			return {
				authentication: { mode: 'accessKey', accessKey, site },
				secrets: [accessKey.secretAccessKey, securityToken],
			};
		}
		case 'agency': {
			const accessKey = readAccessKey(credentials);
			const agency = {
				account: required(credentials, 'agencyAccount', 'Agency Account Name'),
				name: required(credentials, 'agencyName', 'Agency Name'),
			};
			return {
				authentication: { mode: 'agency', accessKey, agency, ...readIam(credentials) },
				secrets: [accessKey.secretAccessKey],
			};
		}
		default:
			throw new InputError(
				"'Authentication' in the credential has an unknown value",
				`${OPEN_CREDENTIAL} choose one from the list`,
			);
	}
}

function readAccessKey(credentials: ICredentialDataDecryptedObject): AccessKey {
	return {
		accessKeyId: headerValue(credentials, 'accessKeyId', 'Access Key ID'),
		secretAccessKey: required(credentials, 'secretAccessKey', 'Secret Access Key'),
	};
}

function readIam(credentials: ICredentialDataDecryptedObject): Iam {
	return {
		iamOrigin: allowedOrigin(credentials, IAM),
		allowUnauthorizedCerts: credentials.allowUnauthorizedCerts === true,
		site: siteOf(credentials, IAM),
	};
}
