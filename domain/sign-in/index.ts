/** What is said of sign-ins to Signon. */
export * from './sign-in-messages.ts';
