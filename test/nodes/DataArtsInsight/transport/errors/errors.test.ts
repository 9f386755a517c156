import { InputError, RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';

const details = { code: 'A.1', outcomeUnknown: false };
const bad = () => new RequestError('Bad', 'Try it', details);

it('an input error says what is wrong and what to do', () => {
	const error = new InputError("'Name' is blank", "Fill in 'Name'");
	expect(error).toBeInstanceOf(Error);
	expect([error.message, error.description]).toEqual(["'Name' is blank", "Fill in 'Name'"]);
});

describe('the description of a request error', () => {
	it('is the advice alone where there is nothing else to say', () => {
		expect(bad().message).toBe('Bad');
		expect(bad().description).toBe('Try it');
	});

	it('says in this order what to do, the notes, how often the request was sent, and the request ID', () => {
		const error = new RequestError(
			'Bad',
			'Try it',
			{ ...details, requestId: 'ab12' },
			{ notes: ['It may be there', 'It was new'], attempts: 2 },
		);
		expect(error.description).toBe('Try it. It may be there. It was new. Tried 2 times. Request ID: ab12');
	});

	it.each([
		[1, 'Try it'],
		[2, 'Try it. Tried 2 times'],
	])('after %d attempts is: %s', (attempts, description) => {
		expect(bad().with({ attempts }).description).toBe(description);
	});
});

describe('with() of a request error', () => {
	const full = () =>
		new RequestError('Bad', 'Try it', details, {
			retry: { throttled: true, after: 5 },
			notes: ['First'],
			attempts: 3,
		});

	it('gives a copy that says the same where nothing changes', () => {
		const error = full();
		const copy = error.with({});
		expect(copy).toBeInstanceOf(RequestError);
		expect(copy).not.toBe(error);
		expect(copy.description).toBe('Try it. First. Tried 3 times');
		expect({ ...copy }).toEqual({ ...error });
		expect(copy.message).toBe('Bad');
	});

	it.each<[string, Parameters<RequestError['with']>[0], object]>([
		['message', { message: 'Worse' }, { message: 'Worse' }],
		['advice', { advice: 'Leave it' }, { advice: 'Leave it', description: 'Leave it. First. Tried 3 times' }],
		[
			'details',
			{ details: { code: 'B.2', requestId: 'x', outcomeUnknown: true } },
			{
				details: { code: 'B.2', requestId: 'x', outcomeUnknown: true },
				description: 'Try it. First. Tried 3 times. Request ID: x',
			},
		],
		['retry', { retry: { throttled: false } }, { retry: { throttled: false } }],
		['retry, which is taken away,', { retry: undefined }, { retry: undefined }],
		['attempts', { attempts: 7 }, { description: 'Try it. First. Tried 7 times' }],
		['notes', { notes: ['Second'] }, { description: 'Try it. First. Second. Tried 3 times' }],
	])(
		'changes the %s of the copy and nothing else, and leaves the error as it was',
		(_what, change, changed) => {
			const shown = ({ message, advice, description, details: { ...all }, retry }: RequestError) => ({
				...{ message, advice, description, details: all, retry },
			});
			const error = full();
			const before = shown(error);
			expect(shown(error.with(change))).toEqual({ ...before, ...changed });
			expect(shown(error)).toEqual(before);
		},
	);

	it('adds notes in the order in which they were given', () => {
		const error = bad()
			.with({ notes: ['One', 'Two'] })
			.with({ attempts: 2 })
			.with({ notes: ['Three'] });
		expect(error.description).toBe('Try it. One. Two. Three. Tried 2 times');
	});

	it('makes copies that know nothing of each other', () => {
		const error = full();
		const [one, other] = [error.with({ notes: ['One'] }), error.with({ notes: ['Other'] })];
		expect(one.description).toBe('Try it. First. One. Tried 3 times');
		expect(other.description).toBe('Try it. First. Other. Tried 3 times');
	});
});
