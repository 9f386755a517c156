import { decidingOperation } from './decide';

/** Accepts a VPC endpoint as the owner of its endpoint service. */
export const accept = decidingOperation({
	value: 'accept',
	name: 'Accept',
	action: 'Accept endpoint connection',
	description: 'Accept a VPC endpoint to an endpoint service of your own, so that it can be used',
	notices: [],
	command: 'receive',
	signs: ['accepted', 'creating'],
	undecided: ['pendingAcceptance', 'creating'],
	toDo: {
		pendingAcceptance: 'The service has not accepted the endpoint yet.',
		creating: 'The endpoint is being connected, which may take minutes.',
		rejected: 'Somebody may have rejected the endpoint meanwhile. Run the node again to accept it.',
		failed: "The endpoint cannot be used: see 'error' in the item.",
		deleting: 'Whoever made the endpoint is deleting it.',
	},
});
