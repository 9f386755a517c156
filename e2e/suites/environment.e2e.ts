import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Browser } from 'playwright-core';

import { pooled, type Tarball, verifiable } from '../../publishing/project';
import { type Simulator, startSimulator } from '../../test/support/cloud';
import { openEditor, startBrowser } from '../support/browser';
import { N8n, nodeOutput } from '../support/n8n';
import { PACKAGE_NAME } from '../support/packageInstall';
import { type Registry, startRegistry } from '../support/registry';
import { chain, insightNode, manualTrigger } from '../support/workflows';

/*
 * n8n itself installs the package from a registry that stands in the place of the public one: as environment variables
 * name it, and from Settings > Community Nodes. Both builds are published there, as a release publishes them.
 */

interface InstalledPackage {
	installedVersion: string;
	/** The version of the button *Update*. */
	updateAvailable?: string;
}

let registry: Registry;
let simulator: Simulator;
let browser: Browser;
let n8n: N8n;
/** n8n's environment at its next start. */
let env: Record<string, string>;
let workflowId: string;

beforeAll(async () => {
	simulator = await startSimulator();
	browser = await startBrowser();
	registry = await startRegistry();
	await registry.publish(verifiable.file, 'latest');
	await registry.publish(pooled.file, 'pooled');
	env = { ...registry.env };
	n8n = new N8n('environment', env);
});

afterAll(async () => {
	await n8n.dispose();
	await registry.stop();
	await browser.close();
	await simulator.close();
});

describe('N8N_COMMUNITY_PACKAGES_MANAGED_BY_ENV', () => {
	beforeAll(() => {
		env.N8N_COMMUNITY_PACKAGES_MANAGED_BY_ENV = 'true';
	});

	it('the listed version is installed when n8n starts, and runs', async () => {
		await restartWith({ name: PACKAGE_NAME, version: verifiable.version });
		expect(await installed()).toMatchObject([{ installedVersion: verifiable.version }]);
		await n8n.createCredential(simulator.passwordCredentials);
		workflowId = await n8n.importWorkflow(chain('Saved before', manualTrigger, insightNode()));
		await expectAccepted();
	});

	it('nobody changes it in the editor', async () => {
		await expect(install(`${PACKAGE_NAME}@pooled`)).rejects.toThrow(
			'Community packages are managed via environment variables on this instance',
		);
	});

	it('another version in the list is installed at the next start, and the saved workflow runs', async () => {
		await restartWith({ name: PACKAGE_NAME, version: pooled.version });
		expect(await installed()).toMatchObject([{ installedVersion: pooled.version }]);
		await expectAccepted();
	});

	it('a package that is no longer listed is removed', async () => {
		await restartWith();
		expect(await installed()).toEqual([]);
		await expect(n8n.run(workflowId)).rejects.toThrow('Unrecognized node type');
	});
});

describe('Settings > Community Nodes', () => {
	beforeAll(async () => {
		delete env.N8N_COMMUNITY_PACKAGES_MANAGED_BY_ENV;
		await restartWith();
	});

	it('the name installs the build of the tag latest; the saved workflow runs without a restart', async () => {
		const page = await openEditor(browser, n8n);
		await page.goto('/settings/community-nodes');
		await page.getByRole('button', { name: 'Install a community node' }).click();
		const dialog = page.getByRole('dialog');
		await dialog.getByPlaceholder('e.g. n8n-nodes-chatwork').fill(PACKAGE_NAME);
		await dialog.getByTestId('user-agreement-checkbox').click();
		await dialog.getByRole('button', { name: 'Install', exact: true }).click();
		const card = page.getByTestId('community-package-card');
		await card.getByText(PACKAGE_NAME).waitFor();
		await card.getByText(verifiable.version).waitFor();
		await page.close();
		expect(await installed()).toMatchObject([{ installedVersion: verifiable.version }]);
		await expectAccepted();
	});

	it('name@pooled installs the other build, and n8n offers that of the tag latest as an update', async () => {
		await n8n.rest('DELETE', `/community-packages?name=${PACKAGE_NAME}`);
		await install(`${PACKAGE_NAME}@pooled`);
		expect(await installed()).toMatchObject([
			{ installedVersion: pooled.version, updateAvailable: verifiable.version },
		]);
		await expectAccepted();
	});
});

/*
 * As it will be by default in n8n 3. No n8n has verified this package, so these tests hold for both builds. The list of
 * verified packages cannot be read here.
 */
describe('N8N_UNVERIFIED_PACKAGES_ENABLED=false', () => {
	beforeAll(async () => {
		env.N8N_UNVERIFIED_PACKAGES_ENABLED = 'false';
		await restartWith();
	});

	it('a package that was installed before still runs', async () => {
		expect(await installed()).toMatchObject([{ installedVersion: pooled.version }]);
		await expectAccepted();
	});

	it('n8n neither updates nor installs it', async () => {
		const forbidden = 'Installation of unverified community packages is forbidden!';
		const update = { name: PACKAGE_NAME, version: verifiable.version };
		await expect(n8n.rest('PATCH', '/community-packages', update)).rejects.toThrow(forbidden);
		await n8n.rest('DELETE', `/community-packages?name=${PACKAGE_NAME}`);
		await expect(install(PACKAGE_NAME)).rejects.toThrow(forbidden);
		expect(await installed()).toEqual([]);
	});

	it('N8N_COMMUNITY_PACKAGES without a checksum: n8n does not start', async () => {
		env.N8N_COMMUNITY_PACKAGES_MANAGED_BY_ENV = 'true';
		await expect(restartWith({ name: PACKAGE_NAME, version: verifiable.version })).rejects.toThrow(
			`no checksum available for '${PACKAGE_NAME}@${verifiable.version}' and unverified packages are disabled`,
		);
	});

	it('N8N_COMMUNITY_PACKAGES with the checksum from the registry: n8n installs it', async () => {
		const { version } = verifiable;
		await restartWith({ name: PACKAGE_NAME, version, checksum: checksumOf(verifiable) });
		expect(await installed()).toMatchObject([{ installedVersion: version }]);
		await expectAccepted();
	});
});

/** Restarts n8n with these packages in the list that the environment may hold. */
async function restartWith(...packages: Array<{ name: string; version: string; checksum?: string }>) {
	await n8n.stop();
	env.N8N_COMMUNITY_PACKAGES = JSON.stringify(packages);
	await n8n.start();
}

/** Installs as Settings > Community Nodes does. */
async function install(name: string) {
	await n8n.rest('POST', '/community-packages', { name });
}

/** What Settings > Community Nodes lists. */
async function installed(): Promise<InstalledPackage[]> {
	return await n8n.rest('GET', '/community-packages');
}

/** The checksum that npm names `dist.integrity`. */
function checksumOf({ file }: Tarball): string {
	return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
}

async function expectAccepted() {
	const execution = await n8n.run(workflowId);
	expect(execution.status).toBe('success');
	expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
		[{ json: { vpc_ep_client_status: 'accepted' } }],
	]);
}
