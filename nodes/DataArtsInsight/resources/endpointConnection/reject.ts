import { decidingOperation } from './decide';

/** Rejects a VPC endpoint as the owner of its endpoint service, also one that was accepted before. */
export const reject = decidingOperation({
	value: 'reject',
	name: 'Reject',
	action: 'Reject endpoint connection',
	description: 'Reject a VPC endpoint to an endpoint service of your own, so that it can no longer be used',
	notices: [
		{
			displayName:
				'Rejecting does not delete the endpoint. It stays, whoever made it is charged for it all the same, and it cannot be used, even if it was accepted before.',
			name: 'rejectNotice',
			type: 'notice',
			default: '',
		},
	],
	command: 'reject',
	signs: ['rejected'],
	undecided: ['pendingAcceptance', 'creating', 'accepted'],
	toDo: {
		pendingAcceptance: 'The service has not rejected the endpoint yet.',
		creating: 'The service has not rejected the endpoint yet.',
		accepted: 'The service has not rejected the endpoint yet, or somebody has accepted it meanwhile.',
		failed: "The endpoint cannot be used: see 'error' in the item.",
		deleting: 'Whoever made the endpoint is deleting it.',
	},
});
