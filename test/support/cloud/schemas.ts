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

/** The list of the VPC Endpoint service: the API reference, section 6 (page api-vpcep/ListEndpointService.html). */
export const endpointServiceQuery = {
	...pageQuery,
	properties: {
		...pageQuery.properties,
		endpoint_service_name: { type: 'string', minLength: 1 },
		id: { type: 'string', minLength: 1 },
	},
};

const object = (properties: Record<string, object>) => ({
	type: 'object',
	properties,
	required: Object.keys(properties),
	additionalProperties: false,
});
const text = { type: 'string', minLength: 1 };

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
