/*
 * n8n reads its egress policy once, while it is imported: import this file before anything of n8n. It blocks
 * loopback by default; 127.0.0.9 stands for an address that is allowed.
 */
process.env.N8N_SSRF_PROTECTION_ENABLED = 'true';
process.env.N8N_SSRF_ALLOWED_IP_RANGES = '127.0.0.9/32';

export {};
