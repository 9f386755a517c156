import { createInterface } from 'node:readline';
import { endpointServices, faultNames, faultServerName, insightDomainId, startSimulator } from '.';

/** Milliseconds from an accept through the VPC Endpoint service to `accepted`, so that there is something to see. */
const ACCEPT_TIME = 10_000;

const meaning = {
	accepted: 'accepted at once',
	pendingAcceptance: 'pendingAcceptance until its owner accepts',
	rejected: 'rejected by its owner',
	creating: 'creating first, accepted when verified again',
	'not whitelisted':
		'refused until its owner whitelists DataArts Insight (EndPoint.2012), then pendingAcceptance',
};

async function main(): Promise<void> {
	const simulator = await startSimulator({ port: Number(process.argv[2] ?? 8008), acceptTime: ACCEPT_TIME });
	const { credentials, passwordCredentials: login, accessKeyCredentials: key } = simulator;
	const { ownerCredentials: owner, agencyCredentials: agency } = simulator;
	const { partnerArchive } = endpointServices;

	console.log(`A simulated Huawei Cloud DataArts Insight listens on ${simulator.url}

In n8n, fill in the credential "DataArts Insight API" like this:
  Region           Custom Address
  Base URL         ${credentials.baseUrl}
  VPC Endpoint URL ${credentials.vpcepUrl}
  Authentication   one of these:
    Access Key (AK/SK)   Access Key ID ${key.accessKeyId}, Secret Access Key ${key.secretAccessKey}
    Password             IAM URL ${login.iamUrl}, Account Name ${login.domainName},
                         IAM User Name ${login.username}, Password ${login.password}
    User Token           ${credentials.token}
  Project ID       ${credentials.projectId}
  Workspace ID     ${credentials.workspaceId}

The owner of ${partnerArchive.name.replace(`.${partnerArchive.id}`, '')} is another account. To act for it:
  Project ID       ${owner.projectId}
  Workspace ID     ${agency.workspaceId}, for DataArts Insight only
  Authentication   one of these:
    Access Key (AK/SK)   Access Key ID ${owner.accessKeyId}, Secret Access Key ${owner.secretAccessKey}
    Agency               Access Key ID ${agency.accessKeyId}, Secret Access Key ${agency.secretAccessKey},
                         IAM URL ${agency.iamUrl}, Agency Account ${agency.agencyAccount}, Agency Name ${agency.agencyName}
Permission that lets DataArts Insight in: iam:domain::${insightDomainId}

Endpoint services to verify, by name or by ID (the last part of the name unless shown):
${Object.values(endpointServices)
	.map(({ name, id, firstAnswer }) => {
		const suffix = name.endsWith(id) ? '' : ` (ID ${id})`;
		return `  ${name}${suffix}\n      ${meaning[firstAnswer]}`;
	})
	.join('\n')}

To accept a pending endpoint as the owner of its service, type the service's name or ID here and press Enter.
Accepted through the VPC Endpoint service, it is creating for ${ACCEPT_TIME / 1000} seconds first.

To see a failure, verify a service whose name holds the failure's name, such as
  ${faultServerName('apigw-0308')}
Failures: ${faultNames.join(', ')}

Ctrl+C ends the simulator.`);

	const lines = createInterface({ input: process.stdin });
	lines.on('line', (line) => {
		if (!line.trim()) return;
		try {
			simulator.accept(line.trim());
			console.log('Accepted.');
		} catch (error) {
			console.log(error instanceof Error ? error.message : error);
		}
	});

	const stop = () => {
		lines.close();
		void simulator.close();
	};
	process.once('SIGINT', stop);
	process.once('SIGTERM', stop);
}

main().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
