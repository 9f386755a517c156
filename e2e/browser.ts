import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Browser, chromium, type Page, selectors } from 'playwright-core';

import { cache } from './folders';
import type { N8n } from './n8n';
import { browserProgram } from './prepare';

/** Where pictures go: into the documentation with `--pictures`. */
const pictures = process.env.E2E_PICTURES ?? join(cache, 'pictures');

/** Starts a browser that finds parts of a page by the IDs that n8n gives them for tests. */
export async function startBrowser(): Promise<Browser> {
	selectors.setTestIdAttribute('data-test-id');
	return await chromium.launch({
		executablePath: browserProgram(),
		// In a container the sandbox of Chromium does not work; the rest keeps it from calling its maker.
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	});
}

/** Opens n8n's editor in a new window, and logs in as its owner. */
export async function openEditor(
	browser: Browser,
	n8n: N8n,
	{ colorScheme = 'light' }: { colorScheme?: 'dark' | 'light' } = {},
): Promise<Page> {
	const page = await browser.newPage({
		baseURL: n8n.url,
		colorScheme,
		viewport: { width: 1440, height: 900 },
	});
	page.setDefaultTimeout(30_000);
	await page.goto('/signin');
	await page.locator('input[name="emailOrLdapLoginId"]').fill(n8n.owner.email);
	await page.locator('input[name="password"]').fill(n8n.owner.password);
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.waitForURL(/\/(home|workflow)/);
	return page;
}

/** Where the picture of that name is put. */
export function pictureFile(name: string): string {
	mkdirSync(pictures, { recursive: true });
	return join(pictures, `${name}.png`);
}
