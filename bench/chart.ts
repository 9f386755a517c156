import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { CellResult, GrowthResult } from './measure';
import { memoryOverN8n, timePerItem } from './statistics';

/** What is used of Apache ECharts. It is not in the main install, hence no import. */
interface ChartLibrary {
	init(
		element: null,
		theme: null,
		options: { renderer: 'svg'; ssr: true; width: number; height: number },
	): { setOption(option: object): void; renderToSVGString(): string; dispose(): void };
}

const WIDTH = 1000;
const HEIGHT = 720;
const COLORS = ['#c7000b', '#e6a23c', '#409eff', '#909399'];

/** Above, time an item in every cell; below, what more items cost. */
export function drawChart(results: CellResult[], growth: GrowthResult): string {
	const require = createRequire(join(__dirname, 'package.json'));
	const echarts = require('echarts') as ChartLibrary;
	const serviceTimes = [...new Set(results.map(({ cell }) => cell.serviceTime))];
	const labels = Object.keys(results[0]?.samples ?? {});
	const sizes = growth.plan.sizes.map(({ items }) => items.toLocaleString('en'));

	const top = { top: 90, height: 230 };
	const bottom = { top: 430, height: 200 };
	const panels = [
		...serviceTimes.map((time, index) => ({
			title: `${time} ms of service time`,
			grid: { ...top, left: 60 + index * 320, width: 260 },
			x: {
				name: 'calls at once',
				data: results
					.filter(({ cell }) => cell.serviceTime === time)
					.map(({ cell }) => String(cell.concurrency)),
			},
			y: { type: 'log', name: 'ms an item' },
		})),
		{
			title: 'The pooled build with more items, 10 at once, 20 ms',
			grid: { ...bottom, left: 60, width: 400 },
			x: { name: 'items', data: sizes },
			y: { type: 'value', name: 'ms an item' },
		},
		{
			title: "Memory over n8n's own for the same items",
			grid: { ...bottom, left: 540, width: 400 },
			x: { name: 'items', data: sizes },
			y: { type: 'value', name: 'MB' },
		},
	];

	const cells = serviceTimes.flatMap((time, index) =>
		labels.map((label, color) => ({
			type: 'line',
			name: label,
			xAxisIndex: index,
			yAxisIndex: index,
			symbolSize: 9,
			itemStyle: { color: COLORS[color] },
			data: results
				.filter(({ cell }) => cell.serviceTime === time)
				.map(({ samples }) => rounded(timePerItem(samples[label] ?? []))),
		})),
	);
	const growing = [
		growth.samples.map(({ pooled }) => timePerItem(pooled)),
		memoryOverN8n(growth).map(({ median }) => median),
	].map((values, index) => ({
		type: 'line',
		name: 'pooled build',
		xAxisIndex: serviceTimes.length + index,
		yAxisIndex: serviceTimes.length + index,
		itemStyle: { color: COLORS[0] },
		label: { show: true, position: 'top' },
		data: values.map(rounded),
	}));

	const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
	chart.setOption({
		animation: false,
		backgroundColor: '#ffffff',
		legend: { top: 10, itemGap: 50, data: labels },
		title: panels.map(({ title, grid }) => ({
			text: title,
			textStyle: { fontSize: 13 },
			left: grid.left,
			top: grid.top - 50,
		})),
		grid: panels.map(({ grid }) => grid),
		xAxis: panels.map(({ x }, gridIndex) => ({
			...x,
			gridIndex,
			type: 'category',
			nameLocation: 'middle',
			nameGap: 28,
		})),
		yAxis: panels.map(({ y }, gridIndex) => ({ ...y, gridIndex, min: y.type === 'log' ? 0.1 : 0 })),
		series: [...cells, ...growing],
	});
	const svg = chart.renderToSVGString();
	chart.dispose();
	return `${svg}\n`;
}

function rounded(value: number): number {
	return Number(value.toPrecision(3));
}
