import fc from 'fast-check';

import {
	callsOf,
	closeLoginClouds,
	DAY,
	good,
	type LoginCloud,
	passTime,
	startLoginCloud,
} from '../support/cloud/loginCloud';
import { useNoBackOff } from '../support/network/backOff';

useNoBackOff();
afterEach(async () => {
	jest.restoreAllMocks();
	await closeLoginClouds();
});

it('property: there is one login for each expired or revoked token, and a response for each request', async () => {
	const pass = passTime();
	/** What the test knows of the cloud. */
	interface Model {
		/** Whether there is a token at hand that the service takes. */
		fresh: boolean;
		logins: number;
	}
	class Real {
		constructor(readonly cloud: LoginCloud) {}
	}
	type Command = fc.AsyncCommand<Model, Real>;

	class Call implements Command {
		constructor(
			readonly runs: number,
			readonly calls: number,
		) {}
		check = () => true;
		async run(model: Model, { cloud }: Real) {
			const before = cloud.service.seen.length;
			const runs = await Promise.all(
				Array.from({ length: this.runs }, async () => await callsOf(cloud, this.calls)),
			);
			if (!model.fresh) model.logins++;
			model.fresh = true;
			expect(runs.flat()).toEqual(good(this.runs * this.calls));
			expect(cloud.iam.seen).toHaveLength(model.logins);
			// A call is made twice only if the first was refused.
			const seen = cloud.service.seen.slice(before);
			const taken = seen.filter(({ headers }) => cloud.valid.has(String(headers['x-auth-token'])));
			expect(taken).toHaveLength(this.runs * this.calls);
			expect(seen.length).toBeLessThanOrEqual(2 * this.runs * this.calls);
		}
		toString = () => `${this.runs} runs of ${this.calls}`;
	}
	class Revoke implements Command {
		check = () => true;
		run(model: Model, { cloud }: Real) {
			cloud.valid.clear();
			model.fresh = false;
			pass(3_000);
			return Promise.resolve();
		}
		toString = () => 'revoke';
	}
	class Expire implements Command {
		check = () => true;
		run(model: Model, { cloud }: Real) {
			cloud.valid.clear();
			pass(DAY);
			model.fresh = false;
			return Promise.resolve();
		}
		toString = () => 'a day later';
	}
	class StopOneOfTwo implements Command {
		check = () => true;
		async run(model: Model, { cloud }: Real) {
			const stop = new AbortController();
			const stopped = callsOf(cloud, 3, { signal: stop.signal });
			const other = callsOf(cloud, 3);
			stop.abort();
			expect(await other).toEqual(good(3));
			expect(await stopped).toHaveLength(3);
			if (!model.fresh) model.logins++;
			model.fresh = true;
			expect(cloud.iam.seen).toHaveLength(model.logins);
		}
		toString = () => 'stop one of two';
	}

	const other = await startLoginCloud();
	await callsOf(other, 1);
	await fc.assert(
		fc.asyncProperty(
			fc.commands(
				[
					fc
						.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 25 }))
						.map((n) => new Call(...n)),
					fc.constant(new Revoke()),
					fc.constant(new Expire()),
					fc.constant(new StopOneOfTwo()),
				],
				{ maxCommands: 12 },
			),
			async (commands) => {
				const cloud = await startLoginCloud();
				await fc.asyncModelRun(
					() => ({ model: { fresh: false, logins: 0 }, real: new Real(cloud) }),
					commands,
				);
				// A token is for its own login and service only.
				const tokens = cloud.service.seen.map(({ headers }) => String(headers['x-auth-token']));
				const own = cloud.credential().domainName ?? '';
				expect(tokens.filter((token) => !token.endsWith(`-${own}`))).toEqual([]);
			},
		),
		{ numRuns: 25 },
	);
	expect(other.service.seen).toHaveLength(1);
});
