import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { optionsField, readRunOptions, runAdvice, runOptions } from '../items/parameters';
import { missingPermission } from '../transport/errors/advice';
import { VPC_ENDPOINT } from '../transport/identity/address';
import { clientReader } from './clients';
import { vpcEndpointPlaceOptions } from './place';

/*
 * What all operations of the VPC Endpoint service have in common: it is there for the owners of endpoint services, and
 * knows of no workspaces.
 */

/**
 * The options of such an operation.
 *
 * @param more those that it alone has
 */
export function ownerOptions(...more: INodeProperties[]): INodeProperties {
	return optionsField([...runOptions, ...vpcEndpointPlaceOptions, ...more]);
}

const NOT_FOUND =
	"Check the ID or name of the endpoint service, and that it belongs to the project and region of the credential, or to 'Project ID' in the options";

/** What the user can do about requests that fail in a way of this operation's own. */
interface OwnAdvice {
	/** The permission of IAM that the operation takes. */
	permission: string;
	/** The permission that it takes as well where the endpoint service is given by its name. */
	byName?: string;
	/** What to do where the service does not find what was asked for. */
	notFound?: string;
}

/**
 * Reads the options that count for the whole run, and prepares to find each item's client.
 *
 * @throws {InputError} that names the option that cannot be used
 */
export async function prepareOwnerSide(
	context: IExecuteFunctions,
	{ permission, byName, notFound = NOT_FOUND }: OwnAdvice,
) {
	const { maxConcurrency, ...limits } = readRunOptions(context);
	const advice = { ...runAdvice, forbidden: missingPermission(permission, byName), notFound };
	const readClient = await clientReader(context, { ...limits, advice }, VPC_ENDPOINT);
	return { maxConcurrency, readClient };
}
