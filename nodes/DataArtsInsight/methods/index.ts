import { searchEndpointServices } from './listSearch';
import { searchWorkspaces } from './workspaceSearch';

export * as credentialTest from './credentialTest';

/** The lists that the form searches. */
export const listSearch = { searchEndpointServices, searchWorkspaces };
