/*
 * Prints for how many milliseconds the built package is busy with answers of one MiB each that are made to keep it
 * busy. It runs in a process of its own: there the code is the shipped one, without the counters of the coverage.
 */
const { log } = require('node:console');
const { randomBytes } = require('node:crypto');
const { resolve } = require('node:path');
const { cpuUsage } = require('node:process');

const { receive } = require(resolve(__dirname, '../../../dist/nodes/DataArtsInsight/transport'));

const SIZE = 1024 * 1024;
const token = `MII${randomBytes(6000).toString('base64')}`;
const password = 'Pa"ss\\w%41rd é';
const units = {
	blanks: ' ',
	newlines: '\n',
	commas: ',',
	dots: '.',
	'canonical requests': ', canonicalRequest:',
	'header names': 'X-Auth-Token ',
	quotes: '"',
	backslashes: '\\',
	brackets: '[',
	'objects in objects': '{"a":',
	digits: '1234567890',
	minuses: '-',
	'percent signs': '%',
	'escaped percent signs': '%25',
	'twice escaped letters': '%2541',
	'escaped backslashes': '\\u005c',
	ampersands: '&',
	entities: '&amp;',
	'surrogate halves': '\ud83d',
	umlauts: 'ä',
	tokens: token,
	'halves of a token': token.slice(0, 60),
	passwords: password,
	'escaped passwords': encodeURIComponent(password),
};

/** As much of a unit as fits into JSON of the wanted size. */
function filling(unit) {
	const size = Buffer.byteLength(JSON.stringify(unit)) - 2;
	return unit.repeat(Math.max(1, Math.floor((SIZE - 100) / size)));
}

/** What all the places of an answer look like that hold this text. */
function answersWith(text) {
	const json = JSON.stringify(text);
	const headers = { 'retry-after': text, location: text, date: text, 'x-request-id': text };
	return [
		{ status: 200, headers, text },
		{ status: 200, headers, text: `{"id":${json}}` },
		{ status: 200, headers, text: `{${json}:1}` },
		{ status: 200, headers, text: `[{"id":${json}},` },
		{ status: 302, headers, text: '' },
		{ status: 400, headers, text: `{"error_msg":${json}}` },
		{ status: 400, headers, text: `{"error_code":${json}}` },
		{ status: 400, headers, text: `{"error":{"message":${json}}}` },
		{ status: 429, headers: { ...headers, 'retry-after': [text, text] }, text },
	];
}

function timeOf(answer) {
	const context = { doubt: 'It may exist', secrets: [token, password], unauthorized: () => 'Renew it' };
	const begin = cpuUsage();
	try {
		receive(answer, context);
	} catch {
		// Only the time is of interest.
	}
	const { user, system } = cpuUsage(begin);
	return (user + system) / 1000;
}

const times = Object.entries(units).map(([name, unit]) => {
	const worst = answersWith(filling(unit)).map((answer) => {
		let best = Infinity;
		// Other work of a busy machine, and of the garbage collector, does not meet it every time.
		for (let round = 0; round < 20 && best > 50; round++) best = Math.min(best, timeOf(answer));
		return best;
	});
	return [name, Math.max(...worst)];
});
log(JSON.stringify(Object.fromEntries(times)));
