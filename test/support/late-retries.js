/**
 * A client whose call is tried again after its test closed the connection fails where nobody waits
 * for it: that is no failure of whichever file runs then.
 */
process.on('uncaughtException', (error) => {
  for (let cause = error; cause; cause = cause.cause)
    if (cause.message === 'Channel has been shut down') return;
  console.error(error);
  process.exit(1);
});
