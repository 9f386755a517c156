import {
	accessKeyHeaders,
	tokenHeaders,
} from '../../../../../nodes/DataArtsInsight/transport/identity/headers';

it('a user token goes with the workspace', () => {
	expect(tokenHeaders('MIItoken', 'w')).toEqual({ 'X-Auth-Token': 'MIItoken', 'X-Workspace-Id': 'w' });
});

it('a signature goes with the project and the workspace', () => {
	expect(accessKeyHeaders('p', 'w')).toEqual({ 'X-Project-Id': 'p', 'X-Workspace-Id': 'w' });
});
