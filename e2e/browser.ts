import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Browser, chromium, type Locator, type Page, selectors } from 'playwright-core';

import { cache } from './folders';
import type { N8n } from './n8n';
import { browserProgram } from './prepare';

/** Where pictures go: into the documentation with `--pictures`. */
const pictures = process.env.E2E_PICTURES ?? join(cache, 'pictures');

/** The size of the editor's window, for pictures that can be read in a README. */
export const WINDOW = { width: 1_400, height: 820 };

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
export async function openEditor(browser: Browser, n8n: N8n): Promise<Page> {
	const page = await browser.newPage({ baseURL: n8n.url, viewport: WINDOW });
	page.setDefaultTimeout(15_000);
	await page.goto('/signin');
	await page.locator('input[name="emailOrLdapLoginId"]').fill(n8n.owner.email);
	await page.locator('input[name="password"]').fill(n8n.owner.password);
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.waitForURL(/\/(home|workflow)/);
	return page;
}

/** Takes a picture of the smallest part of the page that holds these elements, and a margin around them. */
export async function takePicture(page: Page, elements: Locator, name: string, margin = 0): Promise<void> {
	const boxes = (await Promise.all((await elements.all()).map((element) => element.boundingBox()))).filter(
		(box) => box !== null,
	);
	const left = Math.min(...boxes.map(({ x }) => x)) - margin;
	const top = Math.min(...boxes.map(({ y }) => y)) - margin;
	const right = Math.max(...boxes.map(({ x, width }) => x + width)) + margin;
	const bottom = Math.max(...boxes.map(({ y, height }) => y + height)) + margin;
	mkdirSync(pictures, { recursive: true });
	await page.screenshot({
		path: join(pictures, `${name}.png`),
		clip: { x: left, y: top, width: right - left, height: bottom - top },
	});
}
