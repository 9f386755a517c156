import { DelayQueue } from '../../../../nodes/DataArtsInsight/items/delayQueue';

let now = 0;
beforeEach(() => {
	now = 1_000;
	jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => jest.restoreAllMocks());

/** Requests 0, 1, … with as many milliseconds before each is due. */
function delayedBy(...delays: number[]) {
	const queue = new DelayQueue<number>();
	delays.forEach((delay, request) => queue.add(request, delay));
	return queue;
}

/** All requests that can be taken at the moment. */
function takeAll(queue: DelayQueue<number>, all?: boolean) {
	const taken: number[] = [];
	for (let one = queue.take(all); one !== undefined; one = queue.take(all)) taken.push(one);
	return taken;
}

it('a request is delayed until it is due, and is taken once', () => {
	const queue = delayedBy(50);
	now += 49;
	expect(queue.left).toBe(1);
	expect(queue.take()).toBeUndefined();
	now += 1;
	expect(queue.left).toBe(0);
	expect(queue.take()).toBe(0);
	expect(queue.take()).toBeUndefined();
	now += 1_000;
	expect(queue.take()).toBeUndefined();
});

it('due requests are taken in the order of their times, whichever was added first', () => {
	const queue = delayedBy(300, 100, 400, 200, 500);
	now += 450;
	expect(takeAll(queue)).toEqual([1, 3, 0, 2]);
	now += 50;
	expect(takeAll(queue)).toEqual([4]);
});

it('all can be taken, due or not, the earliest first', () => {
	const queue = delayedBy(300, 100, 200);
	expect(takeAll(queue, false)).toEqual([]);
	expect(takeAll(queue, true)).toEqual([1, 2, 0]);
	expect(queue.size).toBe(0);
});

it('the size counts the requests that are due as well as those that are not', () => {
	const queue = delayedBy(10, 20, 500);
	expect(queue.size).toBe(3);
	now += 20;
	queue.take();
	expect(queue.size).toBe(2);
	queue.take();
	expect(queue.size).toBe(1);
});

it('the time that is left is that until the earliest, and none while a request is due', () => {
	expect(new DelayQueue().left).toBe(Infinity);
	const queue = delayedBy(300, 100, 100, 200);
	expect(queue.left).toBe(100);
	now += 100;
	queue.take();
	expect(queue.left).toBe(0);
	queue.take();
	expect(queue.left).toBe(100);
	takeAll(queue, true);
	expect(queue.left).toBe(Infinity);
});

it('two scans are 20 ms apart, as there may be very many requests', () => {
	const queue = delayedBy(5, 10);
	now += 5;
	expect(takeAll(queue)).toEqual([0]);
	expect(queue.left).toBe(20);
	now += 19;
	expect(takeAll(queue)).toEqual([]);
	now += 1;
	expect(takeAll(queue)).toEqual([1]);
});

it('a request that is added with a shorter delay brings the next scan forward', () => {
	const queue = delayedBy(0, 500);
	expect(takeAll(queue)).toEqual([0]);
	queue.add(2, 30);
	expect(queue.left).toBe(30);
	now += 30;
	expect(takeAll(queue)).toEqual([2]);
});

it('tens of thousands that are due together are scanned once, not for each that is taken', () => {
	const count = 30_000;
	const queue = delayedBy(...Array.from({ length: count }, (_, index) => index / 1_000));
	now += 1_000;
	expect(takeAll(queue)).toEqual(Array.from({ length: count }, (_, index) => index));
});
