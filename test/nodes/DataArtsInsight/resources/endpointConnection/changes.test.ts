import fc from 'fast-check';
import type { IDataObject, JsonObject } from 'n8n-workflow';

import {
	compare,
	isEvent,
	knownServices,
	type Memory,
	readMemory,
} from '../../../../../nodes/DataArtsInsight/resources/endpointConnection/changes';

const WATCHED = 'https://vpcep.example.com project *';

const record = (id: string, status: string): JsonObject => ({ id, status });

describe('the changes of the connections of an endpoint service', () => {
	const known = { statuses: { a: 'pendingAcceptance', b: 'accepted' }, missed: {} };

	it('are none at the first poll, and all is remembered', () => {
		expect(compare(null, [record('a', 'accepted')])).toEqual({
			changes: [],
			next: { statuses: { a: 'accepted' }, missed: {} },
		});
	});

	it('are new connections and other statuses', () => {
		const records = [record('b', 'accepted'), record('a', 'accepted'), record('c', 'rejected')];
		const { changes, next } = compare(known, records);
		expect(changes).toEqual([
			{ connection: records[1], status: 'accepted', previous: 'pendingAcceptance' },
			{ connection: records[2], status: 'rejected', previous: null },
		]);
		expect(next.statuses).toEqual({ a: 'accepted', b: 'accepted', c: 'rejected' });
	});

	it('a record that one read lacks is not new in the next read, and is forgotten after two', () => {
		const once = compare(known, [record('a', 'pendingAcceptance')]).next;
		expect(once).toEqual({ statuses: { a: 'pendingAcceptance' }, missed: { b: 'accepted' } });
		expect(compare(once, [record('b', 'accepted')]).changes).toEqual([]);
		expect(compare(once, [record('b', 'rejected')]).changes).toMatchObject([{ previous: 'accepted' }]);
		expect(compare(once, []).next).toEqual({ statuses: {}, missed: { a: 'pendingAcceptance' } });
	});

	it('none is forgotten while the service gives less than it says there is', () => {
		const empty = compare(compare(known, [], 2).next, [], 2).next;
		expect(empty).toEqual({ statuses: {}, missed: known.statuses });
		expect(compare(empty, [record('a', 'pendingAcceptance'), record('b', 'accepted')]).changes).toEqual([]);
	});

	it.each([
		[{ status: 'accepted' }],
		[{ id: 'c' }],
		[{ id: 7, status: 'accepted' }],
		[{ id: 'c', status: null }],
	])('a record without ID or status is passed over: %j', (odd) => {
		expect(compare(known, [odd]).changes).toEqual([]);
	});

	it.each([null, 7, '', undefined])('a status of %j takes nothing from what is remembered', (odd) => {
		let next = known as ReturnType<typeof compare>['next'];
		for (let poll = 0; poll < 3; poll++) {
			const read = compare(next, [{ id: 'a', status: odd as never }, record('b', 'accepted')]);
			expect(read.changes).toEqual([]);
			({ next } = read);
		}
		expect(compare(next, [record('a', 'pendingAcceptance')]).changes).toEqual([]);
		expect(compare(next, [record('a', 'accepted')]).changes).toMatchObject([
			{ previous: 'pendingAcceptance' },
		]);
	});

	it.each(['constructor', '__proto__', 'toString'])('an ID may be called %s', (id) => {
		const { changes, next } = compare(known, [record(id, 'accepted')]);
		expect(changes).toMatchObject([{ previous: null }]);
		const kept = JSON.parse(JSON.stringify(next)) as typeof next;
		expect(compare(kept, [record(id, 'accepted')]).changes).toEqual([]);
	});

	it.each([
		['waiting', 'pendingAcceptance', true],
		['waiting', 'accepted', false],
		['accepted', 'accepted', true],
		['accepted', 'rejected', false],
		['statusChanged', 'somethingNew', true],
	] as const)('%s: %s is %s', (event, status, expected) => {
		expect(isEvent(event, { connection: {}, status, previous: null })).toBe(expected);
	});
});

describe('the endpoint services that are known', () => {
	const connections = { statuses: { a: 'accepted' }, missed: {} };
	const memory: Memory = {
		watched: WATCHED,
		services: { one: connections, other: null },
		unlisted: { earlier: connections },
		first: [],
	};

	it('are not read yet at the first poll', () => {
		expect(knownServices(undefined, ['one'])).toEqual({ services: { one: null }, unlisted: {} });
	});

	it('a new one has nothing that is not new', () => {
		const { services } = knownServices(memory, ['one', 'other', 'new']);
		expect(services).toEqual({ one: connections, other: null, new: { statuses: {}, missed: {} } });
	});

	it('one that the list lacks is kept once, and found again', () => {
		expect(knownServices(memory, ['other'])).toEqual({
			services: { other: null },
			unlisted: { one: connections },
		});
		expect(knownServices(memory, ['earlier']).services).toEqual({ earlier: connections });
	});
});

describe('what was kept', () => {
	const kept: Memory = {
		watched: WATCHED,
		services: { one: { statuses: { a: 'accepted' }, missed: {} }, other: null },
		unlisted: {},
		first: ['other'],
	};

	it('is read as it was written', () => {
		expect(readMemory({ ...kept, foreign: 1 }, WATCHED)).toEqual(kept);
	});

	it.each([
		['nothing', {}],
		['another credential', { ...kept, watched: 'https://vpcep.example.com other *' }],
		['a list for the services', { ...kept, services: [] }],
		['a text for a service', { ...kept, services: { one: 'accepted' } }],
		['a number for a status', { ...kept, services: { one: { statuses: { a: 1 }, missed: {} } } }],
		['no missed ones', { ...kept, services: { one: { statuses: {} } } }],
		['nothing unlisted', { ...kept, unlisted: undefined }],
		['a text for the first ones', { ...kept, first: 'other' }],
		['a number among the first ones', { ...kept, first: [1] }],
		["another node's", { lastTimeChecked: '2024-05-01' }],
	])('begins anew with %s', (_what, data) => {
		expect(readMemory(data as unknown as IDataObject, WATCHED)).toBeUndefined();
	});
});

/*
 * A model: two endpoint services with three endpoints each, whose statuses change, which come and go, between polls that
 * read some of the services and may lack a record, while what is remembered goes through JSON as in a restart.
 */
describe('a sequence of changes, polls and restarts', () => {
	const STATUSES = ['pendingAcceptance', 'creating', 'accepted', 'rejected'];
	const place = fc.record({ service: fc.nat(1), endpoint: fc.nat(2) });
	const step = fc.oneof(
		{
			weight: 4,
			arbitrary: fc.record({
				kind: fc.constant('change' as const),
				place,
				status: fc.constantFrom(...STATUSES),
			}),
		},
		{ weight: 1, arbitrary: fc.record({ kind: fc.constant('service' as const), service: fc.nat(1) }) },
		{
			weight: 4,
			arbitrary: fc.record({
				kind: fc.constant('poll' as const),
				fails: fc.subarray([0, 1]),
				lacks: fc.option(place),
			}),
		},
		{ weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
	);

	it('each change is reported exactly once', () => {
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
				const cloud = [new Map<string, string>(), new Map<string, string>()];
				const listed = [true, false];
				/** By the reports alone: what an observer believes each endpoint's status to be. */
				const believed = new Map<string, string | null>();
				const lackedBefore = new Set<string>();
				let memory: Memory | undefined;
				let baseline = true;

				const poll = (fails: number[], lacks?: { service: number; endpoint: number } | null) => {
					const ids = [0, 1].filter((index) => listed[index]).map(String);
					const { services, unlisted } = knownServices(memory, ids);
					for (const id of ids) {
						if (fails.includes(Number(id))) continue;
						const lacking = lacks && `${lacks.service}.${lacks.endpoint}`;
						const records = [...(cloud[Number(id)] ?? [])]
							// No record is lacked twice in a row.
							.filter(([endpoint]) => endpoint !== lacking || lackedBefore.has(endpoint))
							.map(([endpoint, status]) => record(endpoint, status));
						const isFirst = services[id] === null;
						const { changes, next } = compare(services[id] ?? null, records);
						services[id] = next;
						for (const { connection, status, previous } of changes) {
							const before = believed.get(connection.id as string) ?? null;
							expect({ id: connection.id, previous }).toEqual({ id: connection.id, previous: before });
							expect(status).not.toBe(previous);
							believed.set(connection.id as string, status);
						}
						for (const { id: endpoint, status } of records) {
							if (isFirst) believed.set(endpoint as string, status as string);
							// Nothing was missed.
							expect(believed.get(endpoint as string)).toBe(status);
						}
						for (const endpoint of cloud[Number(id)]?.keys() ?? []) lackedBefore.delete(endpoint);
						if (lacking && !records.some((one) => one.id === lacking)) lackedBefore.add(lacking);
					}
					memory = { watched: WATCHED, services, unlisted, first: [] };
					baseline = false;
				};

				for (const one of steps) {
					if (one.kind === 'change') {
						const endpoint = `${one.place.service}.${one.place.endpoint}`;
						cloud[one.place.service]?.set(endpoint, one.status);
					} else if (one.kind === 'service') {
						listed[one.service] = true;
					} else if (one.kind === 'poll') {
						poll(one.fails, baseline ? null : one.lacks);
					} else if (memory) {
						memory = readMemory(JSON.parse(JSON.stringify(memory)) as IDataObject, WATCHED);
						expect(memory).toBeDefined();
					}
				}
				poll([]);
			}),
			{ numRuns: 300 },
		);
	});
});
