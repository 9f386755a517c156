import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { inTurn } from '../../../../../nodes/DataArtsInsight/transport/identity/inTurn';

const never = new AbortController().signal;
let keys = 0;
let key: string;
let begun: string[];
beforeEach(() => {
	key = `key-${++keys}`;
	begun = [];
});

/** Lets everything happen that waits for nothing else. */
const settle = async () => await new Promise((resolve) => setImmediate(resolve));

/** Work that ends when it is told to. */
function work(name: string, of = key, signal = never) {
	const { promise, resolve, reject } = withResolvers<string>();
	const result = inTurn(of, signal, async () => {
		begun.push(name);
		return await promise;
	});
	const outcome = result.catch((error: unknown) => error);
	return { outcome, resolve, reject };
}

function withResolvers<Value>() {
	let resolve: (value: Value) => void = () => undefined;
	let reject: (error: unknown) => void = () => undefined;
	const promise = new Promise<Value>((resolved, rejected) => {
		resolve = resolved;
		reject = rejected;
	});
	return { promise, resolve, reject };
}

it('the work of one key begins when the one before has ended, well or not', async () => {
	const [first, second, third] = [work('first'), work('second'), work('third')];
	await settle();
	expect(begun).toEqual(['first']);
	first.resolve('1');
	await settle();
	expect(begun).toEqual(['first', 'second']);
	second.reject(new Error('2'));
	await settle();
	expect(begun).toEqual(['first', 'second', 'third']);
	third.resolve('3');
	expect(await Promise.all([first.outcome, second.outcome, third.outcome])).toEqual([
		'1',
		new Error('2'),
		'3',
	]);
});

it('other keys wait for nothing', async () => {
	const [first, other] = [work('first'), work('other', `other than ${key}`)];
	await settle();
	expect(begun).toEqual(['first', 'other']);
	first.resolve('');
	other.resolve('');
});

it('who is given up while waiting is done, and the next one still waits for those in front', async () => {
	const first = work('first');
	const stop = new AbortController();
	const second = work('second', key, stop.signal);
	const third = work('third');
	stop.abort();
	const error = await second.outcome;
	expect(error).toBeInstanceOf(RequestError);
	expect(error).toMatchObject({ details: { code: 'CANCELLED' } });
	await settle();
	expect(begun).toEqual(['first']);
	first.resolve('');
	await settle();
	expect(begun).toEqual(['first', 'third']);
	third.resolve('');
});

it('work that was given up holds up nobody', async () => {
	const stop = new AbortController();
	const first = work('first', key, stop.signal);
	const second = work('second');
	stop.abort();
	expect(await first.outcome).toMatchObject({ details: { code: 'CANCELLED' } });
	await settle();
	expect(begun).toEqual(['first', 'second']);
	second.resolve('');
});
