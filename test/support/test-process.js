// eslint-disable-next-line import/no-unassigned-import -- what fails late is no failure of a test
import './late-retries.js';

/**
 * What a process of Jest's runner needs before it runs tests.
 * The runner answers all its processes when the first one asks what to do, and a process that asks
 * after that waits for ever: it is told here.
 */
delete process.env.NODE_OPTIONS; // meant for this process, not for those that tests start
Object.assign(process.env, { GOGC: '400', GOMEMLIMIT: '800MiB' }); // of Temporal's server: it collects garbage less often
process.env.TEMPORAL_DEBUG = '1'; // workflows run in the process's own thread: a worker starts in a tenth of the time

if (process.send) {
  const QUESTION = 'jest-light-runner-get-worker-data';
  const send = process.send.bind(process);
  let answer;
  process.on('newListener', function whenHeard(event) {
    if (event !== 'message') return; // a listener before the runner's own would take its first message
    process.off('newListener', whenHeard);
    process.on('message', (message) => {
      if (message?.type === 'jest-light-runner-worker-data') answer = message;
    });
  });
  process.send = (message, ...more) => {
    if (message === QUESTION && answer)
      return setImmediate(() => process.emit('message', answer)) && true;
    return send(message, ...more);
  };
  process.once('disconnect', () => process.exit()); // whatever a test left open
}
