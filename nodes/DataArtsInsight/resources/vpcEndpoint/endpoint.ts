import type { IDataObject, JsonObject } from 'n8n-workflow';

/** The ten fields that people act on. */
const SIMPLE_FIELDS = [
	'id',
	'vpc_ep_client_status',
	'vpc_ep_client_id',
	'vpc_ep_server_name',
	'vpc_ep_server_id',
	'ds_type',
	'project_id',
	'create_user_name',
	'create_date',
	'update_date',
];

/** @returns what a response lacks to be the endpoint that was asked for; nothing if it lacks nothing */
export function missingIn(response: JsonObject, request: IDataObject): string | undefined {
	if (!isResponseTo(request, response)) return 'what was asked for';
	const { id } = response;
	return typeof id === 'number' || (typeof id === 'string' && id) ? undefined : "the 'id' of a VPC endpoint";
}

/**
 * Whether a response can be that to a request: it names no other endpoint service than was asked for. A name ends in
 * the ID of its service, and what stands before or behind a part of it may be left out.
 */
function isResponseTo(request: IDataObject, response: IDataObject): boolean {
	return ['vpc_ep_server_name', 'vpc_ep_server_id'].every((field) => {
		const [asked, answered] = [request[field], response[field]];
		if (!asked || typeof asked !== 'string' || !answered || typeof answered !== 'string') return true;
		return (
			lastPart(asked) === lastPart(answered) || answered.toLowerCase().startsWith(`${asked.toLowerCase()}.`)
		);
	});
}

function lastPart(name: string): string {
	return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}

/** The fields that people act on, with times as ISO 8601. Fields that the response lacks are left out. */
export function simplifyEndpoint(endpoint: IDataObject): IDataObject {
	const simple: IDataObject = {};
	for (const field of SIMPLE_FIELDS) {
		const value = endpoint[field];
		if (value === undefined) continue;
		simple[field] = field.endsWith('_date') ? isoTime(value) : value;
	}
	return simple;
}

/** @param value milliseconds since 1970; anything else is given back as it is */
function isoTime(value: IDataObject[string]) {
	const time = typeof value === 'number' ? new Date(value) : undefined;
	return time && !Number.isNaN(time.getTime()) ? time.toISOString() : value;
}
