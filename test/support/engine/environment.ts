import 'reflect-metadata';

import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A home for the settings file that n8n-core writes at its first run. It does not exist before. */
export const userFolder = join(tmpdir(), `n8n-harness-${randomUUID()}`);

// n8n-core reads these once, while it is imported: import this file before it.
process.env.N8N_USER_FOLDER = userFolder;
process.env.N8N_ENCRYPTION_KEY = randomUUID();
process.env.N8N_LOG_LEVEL = 'silent';
