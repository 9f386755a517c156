/*
 * All that the rest of the package needs to talk with Huawei Cloud. It is built into one file that node and
 * credential load together: so the process has its connections, its tokens and its refused logins only once.
 */
export { assertCallerNotRefused, proveAccessKey } from './authenticators';
export { InputError, interruption, isObject, RequestError, unexpectedAnswer } from './errors';
export { type Answer, ExchangeError } from './exchange';
export { loginKey, loginToken, type SendLogin } from './login';
export { wait } from './pace';
export { readAnswer } from './request';
export { connect, type RunLimits } from './service';
export { openSession, serviceAt, VPC_ENDPOINT, type Session } from './session';
export { dropToken } from './tokens';
export { isRefusal } from './trials';
