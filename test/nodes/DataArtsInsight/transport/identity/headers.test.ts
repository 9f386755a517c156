import {
	accessKeyHeaders,
	secretsIn,
	tokenHeaders,
	workspaceHeaders,
} from '../../../../../nodes/DataArtsInsight/transport/identity/headers';

it('a user token says who calls', () => {
	expect(tokenHeaders('MIItoken')).toEqual({ 'X-Auth-Token': 'MIItoken' });
});

it('a signature goes with the project', () => {
	expect(accessKeyHeaders('p')).toEqual({ 'X-Project-Id': 'p' });
});

it('a workspace goes to the service that knows of workspaces', () => {
	expect(workspaceHeaders({ workspaceId: 'w' })).toEqual({ 'X-Workspace-Id': 'w' });
	expect(workspaceHeaders({})).toEqual({});
});

it('a token, a security token and a signature are secrets, and nothing else is', () => {
	const Authorization = 'SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=0f5c2a7b';
	const headers = {
		'X-Project-Id': 'p',
		'X-Auth-Token': 'MIItoken',
		'X-Security-Token': 'ST',
		Authorization,
	};
	expect(secretsIn(headers)).toEqual(['MIItoken', 'ST', '0f5c2a7b']);
	expect(secretsIn({ 'X-Project-Id': 'p' })).toEqual([]);
});
