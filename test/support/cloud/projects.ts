import { createHash } from 'node:crypto';
import { account, owner, type Account } from './accounts';
import { Refusal } from './faults';

export const projectId = '0f5c2a7be1d84963a7c0d41b86e9f352';
/** The region, and so the name of its first project. */
export const projectName = 'cn-north-4';
export const workspaceId = '9b1e6d0c47fa4c2588d3e7a615b0fc94';
/** A workspace that exists but is not in order. No list shows it. */
export const abnormalWorkspaceId = '2d74c8f1a03e4b9d9156ee0b7ac82d63';
/** The project of the account `owner`, with one workspace. */
export const ownerProjectId = '6e27d1f94b8a4c03b5f8907ae3d1c64b';
export const ownerWorkspaceId = 'd3c80f5a17e64b29a9e4726bf01d58c7';

export interface Workspace {
	id: string;
	name: string;
}

export interface Project {
	id: string;
	name: string;
	account: Account;
	/** Its instance of DataArts Insight. */
	instanceId: string;
	/** Those in order. */
	workspaces: Workspace[];
}

/** 32 hexadecimal digits; the same seed gives the same ID. */
const seededId = (seed: string) => createHash('sha256').update(seed).digest('hex').slice(0, 32);

const project = (id: string, name: string, of: Account, workspaces: Workspace[]): Project => ({
	id,
	name,
	account: of,
	instanceId: seededId(`instance of ${id}`),
	workspaces,
});

/** The projects of this cloud's region with their workspaces. */
export class Projects {
	private readonly all: Project[];

	/**
	 * @param moreProjects how many projects the account has beside the first, each with one workspace
	 * @param moreWorkspaces how many workspaces the first project has beside the first
	 */
	constructor(moreProjects: number, moreWorkspaces: number) {
		const workspaces = Array.from({ length: moreWorkspaces }, (_, index) => ({
			id: seededId(`workspace ${index + 1}`),
			name: `team-${index + 1}`,
		}));
		const more = Array.from({ length: moreProjects }, (_, index) =>
			project(seededId(`project ${index + 1}`), `${projectName}_branch-${index + 1}`, account, [
				{ id: seededId(`workspace of project ${index + 1}`), name: `branch-${index + 1}` },
			]),
		);
		const first = [{ id: workspaceId, name: 'default' }, ...workspaces];
		this.all = [
			project(projectId, projectName, account, first),
			...more,
			project(ownerProjectId, projectName, owner, [{ id: ownerWorkspaceId, name: 'default' }]),
		];
	}

	/** Those of an account; the first is the one that is named like the region. */
	of({ id }: Account): [Project, ...Project[]] {
		const [first, ...more] = this.all.filter((one) => one.account.id === id);
		if (!first) throw new Error(`The account ${id} has no project`);
		return [first, ...more];
	}

	find(id: string): Project | undefined {
		return this.all.find((one) => one.id === id);
	}

	/** Refuses a workspace as the service does: the API reference, section 2 (page ErrorCode). */
	checkWorkspace(projectOfWorkspace: string, id: unknown): void {
		if (id === abnormalWorkspaceId) throw new Refusal('insight-24150004');
		const known = this.find(projectOfWorkspace)?.workspaces.some((workspace) => workspace.id === id);
		if (!known) throw new Refusal('insight-24150005');
	}

	/** Each project has one instance [inferred]: the API reference, section 6. */
	instances(id: string) {
		const found = this.find(id);
		return found ? [{ instance_id: found.instanceId, instance_name: `insight-${found.name}` }] : [];
	}

	/** The workspaces of a project's instance: the API reference, sections 6 and 8. */
	workspacesOf(id: string, instanceId: string) {
		const found = this.find(id);
		if (found?.instanceId !== instanceId) throw new Refusal('insight-24010003');
		return found.workspaces.map((workspace, index) => ({ ...workspace, is_default: index === 0 }));
	}
}
