import { execFile } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

import { transport } from '../support/engine/built';

const { receive, RequestError } = transport;

const context = { doubt: 'It may have acted', secrets: [], unauthorized: () => 'Renew it' };
const read = (text: string) => receive({ status: 200, headers: {}, text }, context).object;
const failure = (act: () => unknown) => {
	try {
		act();
	} catch (error) {
		if (error instanceof RequestError) return error;
	}
	throw new Error('Expected a RequestError');
};

it('a response of 1 MiB never blocks the event loop for 50 milliseconds', async () => {
	const script = resolve(__dirname, '../support/engine/measureReading.js');
	const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 180_000 });
	const times = JSON.parse(stdout) as Record<string, number>;
	expect(Object.keys(times).length).toBeGreaterThan(20);
	// Processes that share the caches with many others take up to twice the processor time for the same work.
	const [load = 0] = loadavg();
	const limit = load > availableParallelism() ? 100 : 50;
	expect(Object.entries(times).filter(([, time]) => time > limit)).toEqual([]);
}, 180_000);

it.each([101, 100_000])('JSON that is nested %d deep is refused', (depth) => {
	const objects = '{"a":'.repeat(depth - 1) + '{}' + '}'.repeat(depth - 1);
	const lists = `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
	for (const text of [objects, lists]) {
		expect(failure(() => read(text)).details).toEqual({
			code: 'UNEXPECTED_ANSWER',
			httpStatus: 200,
			outcomeUnknown: true,
		});
	}
});

it('JSON integers over 2^53 come as text, so that no digit is lost', () => {
	const object = read('{"id":12345678901234567890,"list":[9007199254740991,-9007199254740993]}');
	expect(object).toEqual({ id: '12345678901234567890', list: [9007199254740991, '-9007199254740993'] });
});

it('__proto__ in JSON is left out (prototype pollution)', () => {
	for (const name of ['__proto__', '\\u005f_proto__']) {
		const object = read(`{"id":"1","a":{"${name}":{"polluted":1},"b":[1]}}`);
		expect(object).toEqual({ id: '1', a: { b: [1] } });
		expect(JSON.stringify(object)).not.toContain('polluted');
	}
});
