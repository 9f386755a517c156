import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { entrySwitchReader, runAdvice } from '../../items/parameters';
import type { ClientLimits } from '../../transport/client';
import { missingPermission } from '../../transport/errors/advice';
import { type Advice, InputError, RequestError } from '../../transport/errors/errors';
import { VPC_ENDPOINT } from '../../transport/identity/address';
import { clientReader, type ItemClient } from '../clients';
import { type FindService, isNoService, serviceFinder } from '../endpointService/describe';
import type { ServiceLocator } from '../endpointService/locator';
import type { VerifyRequest } from './verifyRequest';

/**
 * The option to look for the endpoint service before a VPC endpoint is asked for. Each item may have its own value, as
 * with the project and the workspace: if that of the first item counted for all, it could turn the check of others off,
 * and nobody would notice before the bill.
 */
export const checkFirst: INodeProperties = {
	displayName: 'Check First',
	name: 'checkFirst',
	type: 'boolean',
	default: false,
	description:
		'Whether to ask the VPC Endpoint service first whether the endpoint service exists, so that a typo creates no endpoint, which would be charged for. It takes one request for each endpoint service of a run, and the permission vpcep:epservices:get.',
};

/** Resolves if the endpoint service of an item exists. */
export type Check = () => Promise<void>;

const ADVICE: Advice = {
	...runAdvice,
	forbidden: missingPermission('vpcep:epservices:get'),
};

/**
 * Prepares to check the endpoint services of a run. Nothing is sent yet, and no client is made where the option is off.
 *
 * @returns a function that gives the check of an item; nothing where the option is off. Function and check throw an
 * InputError or a RequestError if the endpoint service does not exist, or cannot be checked.
 */
export function checkReader(
	context: IExecuteFunctions,
	limits: Omit<ClientLimits, 'helpers' | 'signal'>,
): (itemIndex: number, request: VerifyRequest) => Promise<Check | undefined> {
	const isOn = entrySwitchReader(context, 'options', checkFirst.name, checkFirst.displayName);
	const findService = serviceFinder();
	let clients: ReturnType<typeof clientReader> | undefined;

	return async (itemIndex, request) => {
		if (!isOn(itemIndex)) return undefined;
		clients ??= clientReader(context, { ...limits, advice: ADVICE }, VPC_ENDPOINT);
		const readClient = await clients;
		const client = await readClient(itemIndex).catch((error: unknown) => {
			throw notChecked(error);
		});
		return async () => await check(client, request, findService);
	};
}

/** @throws {InputError} if the name and the ID are of different endpoint services */
async function check(
	client: ItemClient,
	{ vpc_ep_server_name: name, vpc_ep_server_id: id = '' }: VerifyRequest,
	findService: FindService,
): Promise<void> {
	const locator: ServiceLocator = name ? { by: 'name', value: name } : { by: 'id', value: id };
	const found = await findService(client, locator).catch((error: unknown) => {
		throw isNoService(error) ? notFound(error, locator) : notChecked(error);
	});
	if (!id || found.toLowerCase() === id.toLowerCase()) return;
	throw new InputError(
		`The endpoint service '${shown(locator.value)}' has the ID ${shown(found)} and not ${shown(id)}, so nothing was created`,
		"Correct 'Endpoint Service Name' or 'Endpoint Service ID'",
	);
}

function notFound(error: RequestError, { by, value }: ServiceLocator): RequestError {
	const noun = by === 'id' ? 'ID' : 'name';
	return error.with({
		message: `There is no endpoint service with the ${noun} '${shown(value)}', so nothing was created`,
		advice: `Compare the ${noun} with the VPC Endpoint console of the service's owner: it has to be in the region of the credential`,
	});
}

/** The error for an item that is not sent, since nobody can tell whether its endpoint service exists. */
function notChecked(error: unknown): unknown {
	const message = (reason: string) =>
		`The endpoint service was not checked, so nothing was created: ${reason}`;
	const otherwise = "To do without the check, remove 'Check First' from the options";
	if (error instanceof InputError) {
		return new InputError(message(error.message), `${error.description}. ${otherwise}`);
	}
	if (!(error instanceof RequestError) || error.details.code === 'CANCELLED') return error;
	return error.with({ message: message(error.message), notes: [otherwise] });
}

/** As much of a text as any name or ID has. */
function shown(text: string): string {
	return text.slice(0, 128);
}
