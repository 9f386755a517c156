import type { IDataObject, JsonObject } from 'n8n-workflow';

import { isObject } from '../../transport/errors/answer';

/*
 * What the trigger remembers from one poll to the next, and what has changed since. Nothing is read or sent here.
 */

/** What can start a workflow. */
export type ConnectionEvent = 'waiting' | 'accepted' | 'statusChanged';

/** The status that an event is about; the other event is about any. */
export const STATUS_OF: Partial<Record<ConnectionEvent, string>> = {
	waiting: 'pendingAcceptance',
	accepted: 'accepted',
};

/** The connections of an endpoint service as they were at the last poll, by the ID of the endpoint. */
export interface KnownConnections {
	statuses: Record<string, string>;
	/**
	 * Those that the last poll did not find and the one before it did. Where a record goes while a list is read, the first
	 * record of the next page moves to a page that was read already. The next poll finds it again.
	 */
	missed: Record<string, string>;
}

/** What is known of each endpoint service; `null` for one that was there from the start and has not been read yet. */
type KnownServices = Record<string, KnownConnections | null>;

/** What is kept between polls. It is plain JSON. */
export interface Memory {
	/** What is watched, and where. Another one begins with nothing. */
	watched: string;
	services: KnownServices;
	/** Those that the last list lacked and the one before it did not. */
	unlisted: KnownServices;
	/** The endpoint services that come first at the next poll. */
	first: string[];
}

/** A connection whose status is not that of the last poll. */
export interface Change {
	connection: JsonObject;
	status: string;
	/** `null` for a connection that was not there at the last poll. */
	previous: string | null;
}

/** @returns whether the event has happened to the connection */
export function isEvent(event: ConnectionEvent, { status }: Change): boolean {
	return (STATUS_OF[event] ?? status) === status;
}

/**
 * Compares the connections of an endpoint service with those of the last poll.
 *
 * @param known `null` if there was none: then nothing has changed
 * @param records as the service gives them; one without an ID is passed over, and one without a status leaves what is
 * known of the connection
 * @param total how many there are by the service. Where that is more than it gave, none is forgotten
 */
export function compare(
	known: KnownConnections | null,
	records: JsonObject[],
	total = records.length,
): { changes: Change[]; next: KnownConnections } {
	const before = new Map(known ? Object.entries({ ...known.missed, ...known.statuses }) : []);
	const now = new Map<string, string>();
	const changes: Change[] = [];
	for (const connection of records) {
		const { id, status } = connection;
		if (typeof id !== 'string') continue;
		const previous = before.get(id) ?? null;
		if (typeof status !== 'string' || !status) {
			if (previous !== null) now.set(id, previous);
			continue;
		}
		now.set(id, status);
		if (known && previous !== status) changes.push({ connection, status, previous });
	}
	const remembered = total > records.length ? before : Object.entries(known?.statuses ?? {});
	const missed = [...remembered].filter(([id]) => !now.has(id));
	return { changes, next: { statuses: Object.fromEntries(now), missed: Object.fromEntries(missed) } };
}

/**
 * What is known of the endpoint services that are there now. The connections of one that was not there at the last poll
 * are all new. One that the list lacks twice is forgotten.
 *
 * @param memory nothing at the first poll
 * @param ids those of the list
 */
export function knownServices(
	memory: Memory | undefined,
	ids: string[],
): Pick<Memory, 'services' | 'unlisted'> {
	const before = new Map(memory ? Object.entries({ ...memory.unlisted, ...memory.services }) : []);
	const listed = new Set(ids);
	const services = ids.map((id) => {
		const nothing = memory ? { statuses: {}, missed: {} } : null;
		return [id, before.has(id) ? before.get(id) : nothing] as const;
	});
	const unlisted = Object.entries(memory?.services ?? {}).filter(([id]) => !listed.has(id));
	return {
		services: Object.fromEntries(services) as KnownServices,
		unlisted: Object.fromEntries(unlisted),
	};
}

/**
 * Reads what was kept.
 *
 * @returns nothing if something else was watched, nothing was kept, or something that the trigger has not written
 */
export function readMemory(data: IDataObject, watched: string): Memory | undefined {
	const { services, unlisted, first } = data;
	if (data.watched !== watched || !isKnown(services) || !isKnown(unlisted)) return undefined;
	if (!isListOfTexts(first)) return undefined;
	return { watched, services, unlisted, first };
}

function isKnown(value: unknown): value is KnownServices {
	return (
		isObject(value) &&
		Object.values(value).every(
			(known) =>
				known === null || (isObject(known) && isStatuses(known.statuses) && isStatuses(known.missed)),
		)
	);
}

function isListOfTexts(value: unknown): value is string[] {
	return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isStatuses(value: unknown): boolean {
	return isObject(value) && Object.values(value).every((status) => typeof status === 'string');
}
