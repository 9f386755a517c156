import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { InputError } from '../errors/errors';

/** How the advice on a field of the credential begins. */
export const OPEN_CREDENTIAL = 'Open the credential that the node uses and';

/**
 * The text of a credential's field, without the blanks and line breaks that come along when a value is pasted. Anything
 * but text counts as blank.
 */
export function credentialText(credentials: ICredentialDataDecryptedObject, field: string): string {
	const value = credentials[field];
	return typeof value === 'string' ? value.trim() : '';
}

/** @throws {InputError} that names the field, if it is blank */
export function required(credentials: ICredentialDataDecryptedObject, field: string, label: string): string {
	const value = credentialText(credentials, field);
	if (value) return value;
	throw new InputError(`'${label}' in the credential is blank`, `${OPEN_CREDENTIAL} fill in '${label}'`);
}

/** @throws {InputError} that names the field, if it is blank or no header can carry it */
export function headerValue(
	credentials: ICredentialDataDecryptedObject,
	field: string,
	label: string,
): string {
	const value = required(credentials, field, label);
	if (isHeaderValue(value)) return value;
	throw new InputError(
		`'${label}' in the credential holds a blank, a line break or a character that no header can carry`,
		`${OPEN_CREDENTIAL} paste '${label}' again, without anything around it`,
	);
}

/** Whether a header can carry a text as it is. */
export function isHeaderValue(value: string): boolean {
	return /^[\x21-\x7e]+$/.test(value);
}
