import { writeFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { output } from './commands';
import { cache, current, registry } from './folders';
import { freePort } from './freePort';
import { startHostProxy } from './hostProxy';
import { accepts, launch, ready } from './servers';

/**
 * A self-signed key and certificate for the host of the public registry, valid until 2126. Only the n8n of a test trusts
 * the certificate, so the key is no secret.
 */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPXk95AKmhcMjiujP
/b+VPLdHw5NZ6RLFv8qHwdQJumGhRANCAAS5YUxx6loWGpWUrYqSLj29pEprIt7x
PX7r+jCpU+VxTvSMJVEtjm82ICoNv+4dDS+g5MubuGlYX2XX+MDDQdEy
-----END PRIVATE KEY-----
`;

const certificate = `-----BEGIN CERTIFICATE-----
MIIBtjCCAVygAwIBAgIUMd+T3vF73feIR/BAJvOtQZ6UgNQwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwScmVnaXN0cnkubnBtanMub3JnMCAXDTI2MTEyODAxMDQxMloY
DzIxMjYxMTA0MDEwNDEyWjAdMRswGQYDVQQDDBJyZWdpc3RyeS5ucG1qcy5vcmcw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS5YUxx6loWGpWUrYqSLj29pEprIt7x
PX7r+jCpU+VxTvSMJVEtjm82ICoNv+4dDS+g5MubuGlYX2XX+MDDQdEyo3gwdjAd
BgNVHQ4EFgQUWtoA36IFsNzv0d8JSCualB33NaAwHwYDVR0jBBgwFoAUWtoA36IF
sNzv0d8JSCualB33NaAwDwYDVR0TAQH/BAUwAwEB/zAjBgNVHREEHDAaghJyZWdp
c3RyeS5ucG1qcy5vcmeHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIgGpUeQr/caHcy
/q070Iw+pD9wDvAwKOiHYc40G7y9fGUCIQDvnkQqFzD7TFYkIuZLO9576naCfQ0n
AqXK/NpTLcA33A==
-----END CERTIFICATE-----
`;

export interface Registry {
	/** Environment variables of an n8n, and of the npm that it runs, which take this registry for the public one. */
	env: Record<string, string>;
	/** The hosts of all CONNECT requests, as `name:port`, in order of arrival. */
	readonly hosts: string[];
	/** Publishes a tarball under a tag, with npm. */
	publish: (tarball: string, tag: string) => Promise<void>;
	stop: () => Promise<void>;
}

/**
 * Starts a package registry, Verdaccio, in the place of the public one: n8n installs from there, and takes another address
 * only with a licence. A proxy leads the public registry's host to Verdaccio, and refuses all other hosts.
 */
export async function startRegistry(): Promise<Registry> {
	const folder = await mkdtemp(join(tmpdir(), 'registry-e2e-'));
	const port = await freePort();
	const authorities = join(cache, 'registry.pem');
	writeFileSync(authorities, certificate);
	await writeFile(join(folder, 'key.pem'), key);
	const config = join(folder, 'config.yaml');
	// JSON is YAML too.
	await writeFile(
		config,
		JSON.stringify({
			storage: join(folder, 'storage'),
			https: { key: join(folder, 'key.pem'), cert: authorities },
			web: { enable: false },
			auth: { htpasswd: { file: join(folder, 'htpasswd') } },
			packages: { '**': { access: '$all', publish: '$all' } },
			log: { type: 'stdout', format: 'pretty', level: 'http' },
		}),
	);
	const program = join(registry, 'node_modules/verdaccio/bin/verdaccio');
	const address = `https://127.0.0.1:${port}`;
	const args = [program, '--config', config, '--listen', address];
	const child = launch('registry', join(current.nodeFolder, 'bin/node'), args);
	const server = await ready('registry', child, folder, port, () => accepts(port));
	const proxy = await startHostProxy((host) => /^registry\..*:443$/.test(host), port);
	// npm may be configured with certificates of its own. They would replace those that Node.js is given.
	const trust = { NODE_EXTRA_CA_CERTS: authorities, npm_config_cafile: authorities };
	return {
		env: { HTTPS_PROXY: proxy.url, ...trust },
		hosts: proxy.hosts,
		publish: async (tarball, tag) => {
			// Everybody may publish here. npm wants a token all the same.
			const target = [`--registry=${address}`, `--//127.0.0.1:${port}/:_authToken=none`];
			await output('npm', ['publish', ...target, '--tag', tag, tarball], {
				cwd: folder,
				env: { ...process.env, PATH: current.path, ...trust },
			});
		},
		stop: async () => {
			await proxy.close();
			await server.stop();
		},
	};
}
