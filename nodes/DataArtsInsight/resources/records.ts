import type { JsonObject } from 'n8n-workflow';

import { isObject, unexpectedResponse } from '../transport/errors/answer';
import { RequestError } from '../transport/errors/errors';
import type { ItemClient } from './clients';

/*
 * The lists of the VPC Endpoint service, which come in pages.
 *
 * Sources: Huawei Cloud, VPC Endpoint API Reference, "Querying VPC Endpoint Services", "Querying Connections of a VPC
 * Endpoint Service", "Querying the Whitelist of a VPC Endpoint Service".
 */

/** How many records are asked for at a time. The whitelist gives no more; of the other lists 1,000 may be too large. */
const PAGE_SIZE = 500;

/** What a page is divided by where it was too large to be read. */
const DIVISOR = 5;

/** One of the lists. */
export interface RecordList {
	/** Its path below the project, such as `/vpc-endpoint-services`. */
	path: string;
	/** The field of the response that holds the records. */
	field: string;
	/** What narrows it down; a value that is not given is left out. */
	query?: Record<string, string | undefined>;
}

/** What was read of a list. */
export interface Records {
	records: JsonObject[];
	/** How many there are, by the last page. It differs from what was read where records came or went meanwhile. */
	total: number;
}

/**
 * Reads a list in pages, the oldest record first, so that a record that is added meanwhile comes last. A record that
 * comes twice, since another one has gone meanwhile, counts once.
 *
 * @param limit the most records that are wanted
 * @throws {RequestError} if a page cannot be read
 */
export async function readRecords(
	{ call, projectId }: Pick<ItemClient, 'call' | 'projectId'>,
	{ path, field, query = {} }: RecordList,
	limit = Infinity,
): Promise<Records> {
	const records = new Map<unknown, JsonObject>();
	let pageSize = PAGE_SIZE;
	let lastFirst: string | undefined;
	for (let offset = 0; ;) {
		const size = Math.min(pageSize, limit - records.size);
		const search = queryOf({
			...query,
			sort_key: 'create_at',
			sort_dir: 'asc',
			limit: String(size),
			offset: String(offset),
		});
		const page = await call({ method: 'GET', path: `/v1/${projectId}${path}?${search}` }).catch(
			(error: unknown) => {
				if (!isTooLarge(error) || size < DIVISOR) throw error;
				return undefined;
			},
		);
		if (!page) {
			pageSize = Math.floor(size / DIVISOR);
			continue;
		}
		const found = page[field];
		if (!Array.isArray(found)) throw unexpectedResponse(`the list '${field}'`);
		const known = records.size;
		for (const record of found.filter(isObject)) {
			if (records.size < limit) records.set(record.id ?? record, record);
		}
		offset += found.length;
		// Without a count only a page that is not full says that there is no other.
		const total = countOf(page.total_count) ?? (found.length < size ? offset : Infinity);
		// A service that gives the same page again and again must not be asked for ever, whether its records have IDs or not.
		const first = JSON.stringify(found[0]);
		const isSame = records.size === known || first === lastFirst;
		lastFirst = first;
		const isLast = offset >= total || isSame;
		if (isLast || records.size >= limit) {
			return { records: [...records.values()], total: Number.isFinite(total) ? total : offset };
		}
	}
}

/** @returns nothing if the value is no count */
function countOf(value: unknown): number | undefined {
	return /^\d+$/.test(String(value)) ? Number(value) : undefined;
}

/** Half of a character, as where an expression has cut a text. No address can hold it. */
const HALVES = /\p{Surrogate}/gu;

/** The query of an address; a value that is not given is left out. */
export function queryOf(values: Record<string, string | undefined>): string {
	return Object.entries(values)
		.flatMap(([name, value]) =>
			value === undefined ? [] : [`${name}=${encodeURIComponent(value.replace(HALVES, '\ufffd'))}`],
		)
		.join('&');
}

function isTooLarge(error: unknown): boolean {
	return error instanceof RequestError && error.details.code === 'ANSWER_TOO_LARGE';
}
