import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Browser, chromium, type Locator, type Page, selectors } from 'playwright-core';

import { cache } from './folders';
import type { N8n } from './n8n';
import { BROWSERS, requireProgram } from './programs';

/** Where pictures are written. With `--pictures` it is the folder of the documentation. */
const pictures = process.env.E2E_PICTURES ?? join(cache, 'pictures');

/** The size of the editor's window. Pictures of this size can be read in a README. */
export const WINDOW = { width: 1_400, height: 820 };

/** Buttons of the editor that would cover nodes in a picture. */
const OVER_THE_CANVAS = [
	'.tab-bar-container',
	'[aria-label="Select trigger node"]',
	...[
		'add-sticky-button',
		'canvas-controls',
		'command-bar-button',
		'execute-workflow-button',
		'instance-ai-canvas-action-button',
		'node-creator-plus-button',
		'toggle-focus-panel-button',
		'workflow-chat-button',
	].map((id) => `[data-test-id="${id}"]`),
].join();

/** Starts a browser. Playwright's `getByTestId` then finds elements by n8n's attribute `data-test-id`. */
export async function startBrowser(): Promise<Browser> {
	selectors.setTestIdAttribute('data-test-id');
	return await chromium.launch({
		executablePath: requireProgram(BROWSERS),
		args: [
			'--no-sandbox', // Chromium's sandbox does not work in a container.
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			// No requests to Google.
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	});
}

/** Opens n8n's editor in a new window, and logs in as its owner. */
export async function openEditor(browser: Browser, n8n: N8n): Promise<Page> {
	const page = await browser.newPage({ baseURL: n8n.url, viewport: WINDOW });
	page.setDefaultTimeout(30_000);
	await page.goto('/signin');
	await page.locator('input[name="emailOrLdapLoginId"]').fill(n8n.owner.email);
	await page.locator('input[name="password"]').fill(n8n.owner.password);
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.waitForURL(/\/(home|workflow)/);
	return page;
}

/** Writes a picture of these elements and a margin around them, in pixels. */
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
		style: `${OVER_THE_CANVAS} { visibility: hidden !important }`,
		clip: { x: left, y: top, width: right - left, height: bottom - top },
	});
}
