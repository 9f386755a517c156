import { dataSourceTypes } from './cloud';

/** The body of the API reference, section 1 (page VerifyAndCreateVpcEp). A blank field has to be left out. */
export const verifyBody = {
	type: 'object',
	properties: {
		ds_type: { enum: dataSourceTypes },
		vpc_ep_server_name: { type: 'string', pattern: '^\\S(.*\\S)?$' },
		vpc_ep_server_id: {
			type: 'string',
			// Not `format: uuid`, which lets the prefix `urn:uuid:` pass.
			pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
		},
	},
	required: ['ds_type'],
	anyOf: [{ required: ['vpc_ep_server_name'] }, { required: ['vpc_ep_server_id'] }],
	additionalProperties: false,
};

export const noQuery = { type: 'object', additionalProperties: false };

/** The pages of the API reference, section 6. A query arrives as text, hence the patterns. */
export const pageQuery = {
	type: 'object',
	properties: {
		limit: { type: 'string', pattern: '^([1-9][0-9]{0,2}|1000)$' },
		offset: { type: 'string', pattern: '^(0|[1-9][0-9]{0,8})$' },
	},
	additionalProperties: false,
};

const object = (properties: Record<string, object>, optional: Record<string, object> = {}) => ({
	type: 'object',
	properties: { ...properties, ...optional },
	required: Object.keys(properties),
	additionalProperties: false,
});
const text = { type: 'string', minLength: 1 };
const upTo = (maxLength: number) => ({ ...text, maxLength });

const { limit, offset } = pageQuery.properties;
const sortDirection = { enum: ['asc', 'desc'] };
const bothTimes = { enum: ['create_at', 'update_at'] };

/** The lists of the VPC Endpoint service: the API reference, section 7 (pages of api-vpcep). */
export const endpointServicesQuery = object(
	{},
	{
		endpoint_service_name: text,
		id: text,
		status: { enum: ['creating', 'available', 'failed', 'deleting'] },
		sort_key: bothTimes,
		sort_dir: sortDirection,
		limit,
		offset,
	},
);
export const connectionsQuery = object(
	{},
	{
		id: text,
		marker_id: { type: 'string', pattern: '^[0-9]{1,15}$' },
		status: { enum: ['pendingAcceptance', 'accepted', 'rejected', 'failed'] },
		sort_key: { enum: ['create_at'] },
		sort_dir: sortDirection,
		limit,
		offset,
	},
);
export const permissionsQuery = object(
	{},
	{
		permission: text,
		sort_key: bothTimes,
		sort_dir: sortDirection,
		limit: { type: 'string', pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$' },
		offset,
	},
);

/** Either name or ID: the API reference, section 7 (page ListServiceDescribeDetails). */
export const describeQuery = {
	oneOf: [object({ endpoint_service_name: upTo(128) }), object({ id: upTo(64) })],
};

/** One endpoint a call: the API reference, section 7 (page AcceptOrRejectEndpoint). */
export const decideBody = object({
	action: { enum: ['receive', 'reject'] },
	endpoints: { type: 'array', items: upTo(64), minItems: 1, maxItems: 1 },
});

/** The API reference, section 7 (page AddOrRemoveServicePermissions). */
export const whitelistBody = object(
	{
		permissions: { type: 'array', items: text, minItems: 1, maxItems: 50 },
		action: { enum: ['add', 'remove'] },
	},
	{ permission_type: { enum: ['domainId', 'orgPath'] } },
);

const assumeRole = (account: 'domain_name' | 'domain_id') =>
	object(
		{ [account]: text, agency_name: text },
		{ duration_seconds: { type: 'integer', minimum: 900, maximum: 86_400 } },
	);

/** Temporary keys of an agency: the API reference, section 10 (page api-iam/iam_04_0101.html). */
export const agencyBody = object({
	auth: object({
		identity: object({
			methods: { const: ['assume_role'] },
			assume_role: { oneOf: [assumeRole('domain_name'), assumeRole('domain_id')] },
		}),
	}),
});

/**
 * A login with a password for one project: the API reference, section 4 (page api-iam/iam_30_0001.html). IAM itself
 * also knows other methods and scopes, which would give a token that DataArts Insight does not accept.
 */
export const loginBody = object({
	auth: object({
		identity: object({
			methods: { const: ['password'] },
			password: object({
				user: object({ name: text, password: text, domain: object({ name: text }) }),
			}),
		}),
		scope: object({ project: object({ id: text }) }),
	}),
});

/** Any text that is not empty means yes. */
export const loginQuery = { type: 'object', properties: { nocatalog: text }, additionalProperties: false };
