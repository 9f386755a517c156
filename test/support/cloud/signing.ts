import { createHash, createHmac } from 'node:crypto';
import type { AccessKey } from './signature';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A call with an access key, for tests of the simulator: the API reference, section 5. Query names are sorted already. */
export async function fetchSigned(
	address: string,
	{ accessKeyId, secretAccessKey, securityToken }: AccessKey,
	{ method = 'GET', body = '', projectId = '', workspaceId = '', date = new Date() } = {},
) {
	const { host, pathname, search } = new URL(address);
	const sent: Record<string, string> = {
		host,
		'x-sdk-date': date.toISOString().slice(0, 19).replace(/[-:]/g, '').concat('Z'),
		...(body && { 'content-type': 'application/json' }),
		...(projectId && { 'x-project-id': projectId }),
		...(workspaceId && { 'x-workspace-id': workspaceId }),
		...(securityToken !== undefined && { 'x-security-token': securityToken }),
	};
	const names = Object.keys(sent).sort();
	const headers = names.map((name) => `${name}:${sent[name]}\n`).join('');
	const canonical = `${method}\n${pathname}/\n${search.slice(1)}\n${headers}\n${names.join(';')}\n${sha256(body)}`;
	const toSign = `SDK-HMAC-SHA256\n${sent['x-sdk-date']}\n${sha256(canonical)}`;
	const signature = createHmac('sha256', secretAccessKey).update(toSign).digest('hex');
	const authorization = `SDK-HMAC-SHA256 Access=${accessKeyId}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
	const response = await fetch(address, {
		method,
		headers: { ...sent, authorization },
		...(body && { body }),
	});
	return { status: response.status, body: await response.json() };
}
