import fc from 'fast-check';
import type { IExecuteFunctions } from 'n8n-workflow';

import { permissionReader } from '../../../../../nodes/DataArtsInsight/resources/whitelist/permission';
import { InputError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { expression, parameterValues } from '../../../../support/engine/parameterValues';

const DOMAIN = '8d40e7b3c1f2495fa6d95e0b7c23a816';
const PATH = 'o-3j59d1231uprgk9yuvlidra7zbzfi578/r-rldbu1vmxdw5ahdkknxnvd5rgag77m2z';

function read(permission: unknown, options: unknown = {}) {
	const getNodeParameter = parameterValues({ permission: expression([permission]), options });
	return permissionReader({ getNodeParameter } as unknown as IExecuteFunctions)(0);
}
const refusal = (permission: unknown, options?: unknown) => {
	try {
		return read(permission, options);
	} catch (error) {
		expect(error).toBeInstanceOf(InputError);
		return error as InputError;
	}
};

it.each([
	[DOMAIN, { permissions: [`iam:domain::${DOMAIN}`] }],
	[`\t${DOMAIN.toUpperCase()} `, { permissions: [`iam:domain::${DOMAIN.toUpperCase()}`] }],
	[`iam:domain::${DOMAIN}`, { permissions: [`iam:domain::${DOMAIN}`] }],
	[`Iam:DOMAIN::${DOMAIN}`, { permissions: [`iam:domain::${DOMAIN}`] }],
	['a'.repeat(64), { permissions: [`iam:domain::${'a'.repeat(64)}`] }],
	[
		`organizations:orgpath::${PATH}`,
		{ permissions: [`organizations:orgPath::${PATH}`], permission_type: 'orgPath' },
	],
	[
		`organizations:orgPath::${PATH}/*`,
		{ permissions: [`organizations:orgPath::${PATH}/*`], permission_type: 'orgPath' },
	],
])('%j is sent as %j', (given, sent) => {
	expect(read(given)).toEqual(sent);
});

it.each([
	['', 'is blank'],
	[undefined, 'is blank'],
	[`${DOMAIN} ${DOMAIN}`, 'more than one'],
	[`${DOMAIN};${DOMAIN}`, 'more than one'],
	[`iam:domain:: *`, 'more than one permission, or a blank in it'],
	[[DOMAIN], 'a list instead of text'],
	[7, 'a value of the type number'],
	['a'.repeat(65), 'which is no permission'],
	['iam:domain::', 'which is no permission'],
	['iam:domain::**', 'which is no permission'],
	['iam:domain::a*', 'which is no permission'],
	[`iam:domain::iam:domain::${DOMAIN}`, 'which is no permission'],
	['iam:domainName::partner', 'which is no permission'],
	['organizations:orgPath::', 'which is no permission'],
	[`organizations:orgPath::${'a'.repeat(1_025)}`, 'which is no permission'],
	['partner-account', 'which is no permission'],
	['＊', 'which is no permission'],
])('%j is refused', (given, message) => {
	expect(refusal(given, { allowEveryone: true })).toMatchObject({
		message: expect.stringContaining(message) as string,
		description: expect.stringMatching(/^(Fill in|Give|Correct) /) as string,
	});
});

describe.each([
	['*', 'iam:domain::*'],
	['iam:domain::*', 'iam:domain::*'],
	[' IAM:DOMAIN::* ', 'iam:domain::*'],
	['organizations:orgPath::*', 'organizations:orgPath::*'],
	['organizations:orgPath::*/*', 'organizations:orgPath::*/*'],
	['organizations:orgPath::o-*/r-1', 'organizations:orgPath::o-*/r-1'],
	['organizations:orgPath::o-a?/*', 'organizations:orgPath::o-a?/*'],
	['organizations:orgPath::/*', 'organizations:orgPath::/*'],
])('%j opens the service to everybody', (given, sent) => {
	it.each([{}, { allowEveryone: false }, { allowEveryone: 'true' }, { allowEveryone: 1 }])(
		'so it is refused with %j',
		(options) => {
			expect(refusal(given, options)).toMatchObject({
				message: "'Permission' would open the endpoint service to everybody",
			});
		},
	);

	it('and sent where somebody has turned that on', () => {
		expect(read(given, { allowEveryone: true })).toMatchObject({ permissions: [sent] });
	});
});

it('property: whatever somebody enters, without the switch no account is meant that was not named', () => {
	const part = fc.constantFrom(
		'iam:domain::',
		'IAM:DOMAIN::',
		'organizations:orgPath::',
		'*',
		' ',
		'?',
		'/',
		'o-',
		'a1',
		'\n',
		',',
		'-',
	);
	fc.assert(
		fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
			const outcome = refusal(parts.join(''));
			if (outcome instanceof InputError) return;
			const [sent] = outcome.permissions;
			expect(sent).toMatch(
				/^(iam:domain::[a-z\d]+|organizations:orgPath::[\w-]*[a-z\d][\w-]*(\/[\w*?/-]*)?)$/,
			);
		}),
		{ numRuns: 2_000 },
	);
});
