import { randomUUID } from 'node:crypto';
import { insightDomainId } from './accounts';

/** The VPC Endpoint service knows more statuses, yet nothing brings them about here. */
export type ConnectionStatus = 'accepted' | 'pendingAcceptance' | 'rejected' | 'creating';

/** An endpoint as the owner of its endpoint service sees it. */
export interface Connection {
	/** The endpoint's. */
	id: string;
	markerId: number;
	createdAt: number;
	updatedAt: number;
	status: ConnectionStatus;
	/** When it turns from `creating` to `accepted`, in milliseconds since 1970; no time while its owner has not accepted. */
	acceptedAt?: number;
}

/** 2024-05-01: the connections that are there from the start came one a second. */
const EARLIER = Date.UTC(2024, 4, 1);
const EARLIER_STATUSES = ['accepted', 'pendingAcceptance', 'rejected'] as const;

/** The connections of each endpoint service, in order of creation. */
export class Connections {
	private byService = new Map<string, Connection[]>();
	private lastMarker = 0;

	/**
	 * @param now the simulated clock: milliseconds since 1970
	 * @param acceptTime milliseconds from `receive` to `accepted`
	 * @param earlier how many connections a service has from the start
	 */
	constructor(
		private readonly now: () => number,
		private readonly acceptTime: number,
		private readonly earlier: { serviceId: string; count: number },
	) {}

	/** A new endpoint, made by DataArts Insight. */
	add(serviceId: string, status: ConnectionStatus): Connection {
		const list = this.of(serviceId);
		const now = this.now();
		const made: Connection = {
			id: randomUUID(),
			markerId: ++this.lastMarker,
			createdAt: now,
			updatedAt: now,
			status,
		};
		list.push(made);
		return made;
	}

	/** All of a service, in their present state. */
	of(serviceId: string): Connection[] {
		let list = this.byService.get(serviceId);
		if (!list) {
			list = serviceId === this.earlier.serviceId ? this.makeEarlier() : [];
			this.byService.set(serviceId, list);
		}
		for (const connection of list) this.settle(connection);
		return list;
	}

	/** Brings a connection to what it is at this time. */
	settle(connection: Connection): Connection {
		const { acceptedAt } = connection;
		if (acceptedAt !== undefined && acceptedAt <= this.now()) {
			connection.status = 'accepted';
			connection.updatedAt = acceptedAt;
			delete connection.acceptedAt;
		}
		return connection;
	}

	/**
	 * What the owner says to an endpoint: the API reference, section 7. Whoever says the same again changes nothing, and
	 * what was accepted can be rejected, and the other way round [inferred].
	 */
	decide(connection: Connection, action: 'receive' | 'reject'): void {
		const { status, acceptedAt } = this.settle(connection);
		if (action === 'receive') {
			if (status === 'accepted' || acceptedAt !== undefined) return;
			connection.status = 'creating';
			connection.acceptedAt = this.now() + this.acceptTime;
		} else {
			if (status === 'rejected') return;
			connection.status = 'rejected';
			delete connection.acceptedAt;
		}
		connection.updatedAt = this.now();
		this.settle(connection);
	}

	reset(): void {
		this.byService.clear();
		this.lastMarker = 0;
	}

	private makeEarlier(): Connection[] {
		return Array.from({ length: this.earlier.count }, (_, index) => {
			const at = EARLIER + index * 1000;
			return {
				id: `b7000000-0000-4000-8000-${(index + 1).toString(16).padStart(12, '0')}`,
				markerId: ++this.lastMarker,
				createdAt: at,
				updatedAt: at,
				status: EARLIER_STATUSES[index % EARLIER_STATUSES.length] ?? 'accepted',
			};
		});
	}
}

/** As the VPC Endpoint service writes it: the API reference, section 7 (page ListServiceConnections). */
export function shownConnection({ id, markerId, createdAt, updatedAt, status }: Connection) {
	return {
		id,
		marker_id: markerId,
		created_at: vpcEndpointTime(createdAt),
		updated_at: vpcEndpointTime(updatedAt),
		domain_id: insightDomainId,
		error: [],
		status,
		description: '',
	};
}

/** As the VPC Endpoint service writes times: whole seconds. */
export function vpcEndpointTime(milliseconds: number): string {
	return new Date(milliseconds).toISOString().replace(/\.\d+/, '');
}
