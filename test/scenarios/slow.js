/**
 * Scenarios that take long by their nature: they wait for timeouts, renewals and retries, or have thousands of items or
 * polls. The everyday loop leaves them out; `npm run test:slow` runs them.
 */
module.exports = [
	'accessKeyLockout',
	'addOperation',
	'cancelledExecution',
	'connectTimeout',
	'connectionResetAndTimeout',
	'endpointConnections',
	'everyOperation',
	'hostileJsonResponses',
	'keepAlive',
	'keepAliveIdle',
	'load',
	'loginAndTokenRenewal',
	'manyWorkspaces',
	'n8nHttpRequestNode',
	'noRetryAfterSending',
	'secretsInErrorsAndLogs',
	'tlsCertificates',
	'triggerWeek',
	'waitForAcceptance',
];
