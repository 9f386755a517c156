import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { readCollection, textReader } from '../../items/parameters';
import { InputError } from '../../transport/errors/errors';

/*
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Batch Adding or Deleting Whitelist Records of a VPC Endpoint
 * Service" (AddOrRemoveServicePermissions).
 */

const LABEL = 'Permission';

/** Who is to be let in. */
export const permissionField: INodeProperties = {
	displayName: LABEL,
	name: 'permission',
	type: 'string',
	default: '',
	required: true,
	placeholder: 'e.g. 8d40e7b3c1f2495fa6d95e0b7c23a816',
	description:
		'Domain ID of the account to let in, which is the ID of the whole Huawei Cloud account, or a permission such as iam:domain::8d40… or organizations:orgPath::o-…/r-…/ou-…',
	hint: "The domain ID of DataArts Insight differs by region: it stands on the console's page 'Create Data Source', and is the 'domain_id' of a connection that waits for acceptance",
};

/** The switch without which no endpoint service is opened to everybody. */
export const allowEveryone: INodeProperties = {
	displayName: 'Open to Everybody',
	name: 'allowEveryone',
	type: 'boolean',
	default: false,
	description:
		'Whether a permission with * may be added: it lets every account of Huawei Cloud connect to the endpoint service',
};

const DOMAIN = 'iam:domain::';
const ORGANIZATION = 'organizations:orgPath::';

/** What is sent of a permission. */
export interface Permission {
	permissions: [string];
	/** Left out for domain IDs: they were there before the service knew of types. */
	permission_type?: 'orgPath';
}

/**
 * Prepares to read who is to be let in by each item.
 *
 * @returns a function that throws an InputError if the permission is blank, more than one, or of another form; and if it
 * opens the endpoint service to everybody while nobody has allowed that
 */
export function permissionReader(context: IExecuteFunctions): (itemIndex: number) => Permission {
	const read = textReader(context, permissionField.name, LABEL);
	return (itemIndex) => {
		const { prefix, value } = permissionOf(read(itemIndex));
		const options = isForEverybody(prefix, value) ? readCollection(context, 'options', itemIndex) : {};
		if (isForEverybody(prefix, value) && options[allowEveryone.name] !== true) {
			throw new InputError(
				`'${LABEL}' would open the endpoint service to everybody`,
				`Give the domain ID of one account, or turn on '${allowEveryone.displayName}' in the options if every account of Huawei Cloud may connect`,
			);
		}
		const permissions: [string] = [prefix + value];
		return prefix === ORGANIZATION ? { permissions, permission_type: 'orgPath' } : { permissions };
	};
}

function permissionOf(text: string): { prefix: string; value: string } {
	if (!text) {
		throw new InputError(
			`'${LABEL}' is blank`,
			`Fill in '${LABEL}', or check what its expression gives for this item`,
		);
	}
	if (/[\s,;]/.test(text)) {
		throw new InputError(
			`'${LABEL}' holds more than one permission, or a blank in it`,
			'Give each permission an item of its own',
		);
	}
	const known = [DOMAIN, ORGANIZATION].find((prefix) => text.toLowerCase().startsWith(prefix.toLowerCase()));
	const prefix = known ?? DOMAIN;
	const value = known ? text.slice(known.length) : text;
	const form = prefix === ORGANIZATION ? /^[a-z\d*?/-]{1,1024}$/i : /^([a-z\d]{1,64}|\*)$/i;
	if (form.test(value)) return { prefix, value };
	throw new InputError(
		`'${LABEL}' holds '${text.slice(0, 40)}', which is no permission`,
		`Give a domain ID (letters and digits only), or a permission that begins with ${DOMAIN} or ${ORGANIZATION}`,
	);
}

/** A path whose first part, the organization, has a wildcard means those of others as well. */
function isForEverybody(prefix: string, value: string): boolean {
	if (prefix === DOMAIN) return value === '*';
	const [organization = ''] = value.split('/');
	return !/^[\w-]*[a-z\d][\w-]*$/i.test(organization);
}
