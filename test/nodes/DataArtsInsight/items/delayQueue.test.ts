import { DelayQueue } from '../../../../nodes/DataArtsInsight/items/delayQueue';

let now = 0;
beforeEach(() => {
	now = 1_000;
	jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => jest.restoreAllMocks());

/** Items with as many milliseconds before they are due. */
function restingFor(...times: number[]) {
	const resting = new DelayQueue<string>();
	times.forEach((after, itemIndex) => resting.add(itemIndex, `request ${itemIndex}`, after));
	return resting;
}

/** All items that can be taken at the moment. */
function takeAll(resting: DelayQueue<string>, all?: boolean) {
	const taken: number[] = [];
	for (let one = resting.take(all); one; one = resting.take(all)) taken.push(one.itemIndex);
	return taken;
}

it('a request rests until it is due, and is taken with its item, once', () => {
	const resting = restingFor(50);
	now += 49;
	expect(resting.left).toBe(1);
	expect(resting.take()).toBeUndefined();
	now += 1;
	expect(resting.left).toBe(0);
	expect(resting.take()).toMatchObject({ itemIndex: 0, request: 'request 0' });
	expect(resting.take()).toBeUndefined();
	now += 1_000;
	expect(resting.take()).toBeUndefined();
});

it('those that are due are taken in the order of their times, whoever came first', () => {
	const resting = restingFor(300, 100, 400, 200, 500);
	now += 450;
	expect(takeAll(resting)).toEqual([1, 3, 0, 2]);
	now += 50;
	expect(takeAll(resting)).toEqual([4]);
});

it('of a stopped run all are taken, due or not, the earliest first', () => {
	const resting = restingFor(300, 100, 200);
	expect(takeAll(resting, false)).toEqual([]);
	expect(takeAll(resting, true)).toEqual([1, 2, 0]);
	expect(resting.size).toBe(0);
});

it('the size counts what is due as well as what is not', () => {
	const resting = restingFor(10, 20, 500);
	expect(resting.size).toBe(3);
	now += 20;
	resting.take();
	expect(resting.size).toBe(2);
	resting.take();
	expect(resting.size).toBe(1);
});

it('the time that is left is that until the earliest, and none while something is due', () => {
	expect(new DelayQueue().left).toBe(Infinity);
	const resting = restingFor(300, 100, 100, 200);
	expect(resting.left).toBe(100);
	now += 100;
	resting.take();
	expect(resting.left).toBe(0);
	resting.take();
	expect(resting.left).toBe(100);
	takeAll(resting, true);
	expect(resting.left).toBe(Infinity);
});

it('two looks through all that rests are 20 ms apart, as there may be very many', () => {
	const resting = restingFor(5, 10);
	now += 5;
	expect(takeAll(resting)).toEqual([0]);
	expect(resting.left).toBe(20);
	now += 19;
	expect(takeAll(resting)).toEqual([]);
	now += 1;
	expect(takeAll(resting)).toEqual([1]);
});

it('what comes to rest meanwhile for a shorter time brings the next look forward', () => {
	const resting = restingFor(0, 500);
	expect(takeAll(resting)).toEqual([0]);
	resting.add(2, 'short', 30);
	expect(resting.left).toBe(30);
	now += 30;
	expect(takeAll(resting)).toEqual([2]);
});

it('tens of thousands that are due together are looked through once, not for each that is taken', () => {
	const count = 30_000;
	const resting = restingFor(...Array.from({ length: count }, (_, index) => index / 1_000));
	now += 1_000;
	expect(takeAll(resting)).toEqual(Array.from({ length: count }, (_, index) => index));
});
