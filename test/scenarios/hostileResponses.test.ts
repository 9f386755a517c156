import { execFile } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

import { transport } from '../support/engine/built';

const { readAnswer, RequestError } = transport;

const context = { creates: true, secrets: [], unauthorized: () => 'Renew it' };
const read = (text: string, status = 200) => readAnswer({ status, headers: {}, text }, context).object;
const failure = (act: () => unknown) => {
	try {
		act();
	} catch (error) {
		if (error instanceof RequestError) return error;
	}
	throw new Error('Expected a RequestError');
};

it('no answer of a mebibyte keeps n8n busy for 50 milliseconds', async () => {
	const script = resolve(__dirname, '../support/engine/measureReading.js');
	const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 60_000 });
	const times = JSON.parse(stdout) as Record<string, number>;
	expect(Object.keys(times).length).toBeGreaterThan(20);
	// Processes that share the caches with many others take up to twice the processor time for the same work.
	const [load = 0] = loadavg();
	const limit = load > 2 * availableParallelism() ? 100 : 50;
	expect(Object.entries(times).filter(([, time]) => time > limit)).toEqual([]);
}, 60_000);

describe('depth', () => {
	const nested = (depth: number) => '{"a":'.repeat(depth - 1) + '{}' + '}'.repeat(depth - 1);

	it('is taken up to a hundred', () => {
		expect(JSON.stringify(read(nested(100)))).toBe(nested(100));
		expect(read(`{"a":"${'['.repeat(1000)}","b":[[],[],{}]}`)).toMatchObject({ b: [[], [], {}] });
	});

	it('counts what is within another, not what stands beside', () => {
		const beside = `{"a":[${Array(300).fill('{},[]').join()}]}`;
		expect(JSON.stringify(read(beside))).toBe(beside);
	});

	it.each([101, 100_000])('of %d is refused, and the call may have acted', (depth) => {
		const lists = `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
		for (const text of [nested(depth), lists]) {
			expect(failure(() => read(text)).details).toEqual({
				code: 'UNEXPECTED_ANSWER',
				httpStatus: 200,
				outcomeUnknown: true,
			});
		}
	});
});

describe('numbers', () => {
	it.each([
		['9007199254740991', 9007199254740991],
		['9007199254740992', '9007199254740992'],
		['-9007199254740993', '-9007199254740993'],
		['12345678901234567890', '12345678901234567890'],
		['1714962072863', 1714962072863],
		['0.12345678901234567', Number('0.12345678901234567')],
		['1e400', Infinity],
		['123456789012345678e-2', Number('123456789012345678e-2')],
		['-0', -0],
		['"12345678901234567890"', '12345678901234567890'],
		['"a\\"12345678901234567890"', 'a"12345678901234567890'],
	])('%s becomes %p', (json, value) => {
		const object = read(`{"id":${json},"list":[${json},{"a":${json}}]}`);
		expect(object).toStrictEqual({ id: value, list: [value, { a: value }] });
	});

	it.each([
		'01234567890123456789',
		'12345678901234567890a',
		'--12345678901234567890',
		'12345678901234567890 1',
	])('%s does not become JSON', (json) => {
		expect(failure(() => read(`{"id":${json}}`)).details.code).toBe('UNEXPECTED_ANSWER');
	});
});

it('a name that would change what an object is goes', () => {
	for (const name of ['__proto__', '\\u005f_proto__']) {
		const object = read(`{"id":"1","${name}":{"polluted":1},"a":{"${name}":{"polluted":1},"b":[1]}}`);
		expect(object).toEqual({ id: '1', a: { b: [1] } });
		expect(JSON.stringify(object)).not.toContain('polluted');
	}
});

it.each([204, 202, 206])('an empty answer is told with its own status, %d', (status) => {
	expect(failure(() => read('', status)).details).toEqual({
		code: 'UNEXPECTED_ANSWER',
		httpStatus: status,
		outcomeUnknown: true,
	});
});

it('an answer before the answer is none', () => {
	expect(failure(() => read('{"id":"1"}', 199)).details).toMatchObject({
		httpStatus: 199,
		outcomeUnknown: true,
	});
});
