import type { DataArtsInsightApi } from '../../credentials/DataArtsInsightApi.credentials';
import { built } from '../support/engine/built';

it('the credential has an icon for the light and one for the dark theme', async () => {
	// n8n turns the paths of the files into addresses.
	const { iconUrl } = (await built).credentials.dataArtsInsightApi as DataArtsInsightApi & {
		iconUrl: object;
	};
	expect(iconUrl).toEqual({
		light: expect.stringMatching(/dataArtsInsight\.svg$/) as string,
		dark: expect.stringMatching(/dataArtsInsight\.dark\.svg$/) as string,
	});
});
