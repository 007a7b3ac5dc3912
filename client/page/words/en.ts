// The words of the volunteer's page, in one place: a translation is a second file like this one.

export const en = {
  productName: 'tabgrad',
  defaultTitle: 'Lend this tab to a training run',
  defaultDescription:
    'The person who sent you this link trains a machine-learning model on many computers at once. Yours can be one of them, for as long as this tab is open.',
  askedBy: 'Asked by',
  moreAbout: 'More about it',
  safety: {
    title: 'What you lend, and what you don’t',
    lent: (device: string) =>
      `${device}, up to the share that you choose, and this tab’s memory for a piece of the data.`,
    received:
      'It receives a piece of the owner’s data, kept in this browser’s cache, and sums from the other workers.',
    sent: 'It sends sums of gradients to the other workers, and your network address, as a video call does. Of this computer it tells what it computes on and the number of cores.',
    code: 'The owner may send code. It runs in this tab’s sandbox, like every web page, and reaches no other address than this page’s.',
    own: 'Nothing of yours is read: no file, no other tab, no account. Nothing is installed.',
    end: 'Close the tab and everything ends; the others go on without loss.',
  },
  device: {
    looking: 'Looking for a GPU …',
    gpu: (name: string) => `Your GPU (${name})`,
    software: 'Your processor (this browser offers a GPU in software only)',
    processor: 'Your processor',
    none: 'Your processor (this browser offers no WebGPU)',
  },
  noWebGpu: {
    insecure:
      'Browsers give WebGPU to pages over https or from localhost only. The processor works meanwhile.',
    chromium:
      'WebGPU is on by default in Chrome and Edge from 113; look at chrome://gpu for what stops it here. The processor works meanwhile.',
    firefox: 'Firefox has WebGPU from 141 on Windows and from 145 on macOS. The processor works meanwhile.',
    safari: 'Safari has WebGPU from 26. The processor works meanwhile.',
    other:
      'Chrome, Edge, Firefox or Safari of this year have WebGPU on most machines. The processor works meanwhile.',
  },
  buttons: {
    start: 'Lend this tab',
    again: 'Lend it again',
    pause: 'Pause',
    resume: 'Go on',
    leave: 'Leave',
    stopWaiting: 'Do not wait',
    copy: 'Copy the link',
    copied: 'Copied',
    clear: 'Forget the data',
  },
  states: {
    offered: { title: 'Ready when you are', note: 'Nothing runs until you press the button.' },
    noToken: {
      title: 'This address is not the whole link',
      note: 'Open the link that the owner sent you: what stands behind # lets you in.',
    },
    offline: {
      title: 'No connection',
      note: 'The coordinator can’t be reached at the moment. This page looks again by itself, and goes on when it is back.',
    },
    starting: { title: 'Starting', note: 'Loading the trainer.' },
    elsewhere: {
      title: 'Another tab lends already',
      note: 'A GPU is lent once. This tab takes over when the other one leaves or is closed.',
    },
    failed: { title: 'Something broke', note: 'This tab left the group; the others go on without it.' },
    refused: {
      title: 'Not let in',
      note: 'The coordinator did not accept this tab.',
      /** By the coordinator's codes: what to do. */
      advice: {
        TOKEN_REQUIRED: 'This link is not valid, or not any more. Ask the owner for a new one.',
        INVITATION_USED_UP:
          'As many have joined by this link as it was made for. Ask the owner for a new one.',
        INVITATION_EXPIRED: 'The time of this link is over. Ask the owner for a new one.',
        TOO_MANY_ATTEMPTS:
          'There were too many attempts with wrong links from your network. Try again later.',
        WORKER_BANNED: 'The owner has banned this tab or your network. Write to them if that is a mistake.',
        WORKER_REMOVED: 'The owner has sent this tab away. Write to them before you lend it again.',
        PROTOCOL_MISMATCH: 'This page is of another version than the coordinator. Load it anew.',
        POOL_FULL: 'There are as many workers as the coordinator takes. Try again later.',
        ADDRESS_FULL: 'There are as many workers as your network may have here. Try again later.',
      },
    },
    sentAway: {
      title: 'Finished',
      note: (reason: string) => `The coordinator ended it: ${reason}. Thank you.`,
    },
    left: { title: 'You left', note: 'Nothing runs here any more. Thank you for what you lent.' },
    held: 'Paused by a limit',
  },
  holds: {
    battery: 'The computer runs on its battery; work goes on when it is plugged in.',
    visible: 'Work goes on when you look at another tab.',
    busy: 'Work goes on when you leave the computer alone.',
    data: 'The data budget of today is used up. Raise it, or come back tomorrow.',
    memory: 'The page took more memory than you allow. Raise the budget to go on.',
  },
  limits: {
    title: 'Limits',
    share: 'Share of its time',
    shareNow: (used: string) => `measured over the last seconds: ${used}`,
    onlyOnMains: 'Only while plugged in',
    unknownMains: 'this browser does not tell',
    schedule: 'When',
    schedules: {
      always: 'Always',
      hidden: 'While I look at other tabs',
      idle: 'While I am away from the computer',
    },
    unknownIdle: 'this browser does not tell',
    data: 'Data a day',
    memory: 'Memory',
    unlimited: 'no bound',
    used: (amount: string) => `used: ${amount}`,
    keepAwake: 'Keep the screen on meanwhile',
  },
  contribution: {
    title: 'What you gave',
    now: 'This visit',
    ever: 'All visits',
    rounds: 'Rounds',
    rows: 'Rows computed',
    runs: 'Runs',
    time: 'Time',
    sent: 'Sent',
    received: 'Received',
    speed: 'Speed now',
    part: 'Your part',
    ofRows: (part: string) => `about ${part} of this round’s rows`,
    allRows: 'all rows: they are so few that each worker takes them all',
    rowsPerSecond: (rows: string) => `${rows} rows/s`,
    group: 'Group',
    workers: (count: number) => (count === 1 ? 'you alone' : `${count} workers`),
    name: 'Your name there',
    device: 'Computes on',
    share: 'Time used',
  },
  result: {
    titles: {
      finished: 'The run is finished. Thank you!',
      stopped: 'The owner stopped the run. Thank you for your part.',
      failed: 'The run failed. It was not your fault; thank you.',
    },
    added: (rounds: string, all: string, rows: string, time: string) =>
      `This tab took part in ${rounds} of ${all} rounds: ${rows} rows in ${time}.`,
    next: 'There is nothing to do now. Work starts by itself with the next run.',
  },
  curve: {
    title: 'The model learns',
    metric: 'Measure',
    waiting: 'The curve begins with the first rounds.',
    rounds: 'round',
    summary: (name: string, value: string, at: string) => `${name}: ${value} after round ${at}`,
  },
  peers: {
    title: 'Your peers',
    you: 'you',
    worker: 'Worker',
    path: 'Path',
    latency: 'Latency',
    speed: 'Speed',
    sent: 'Sent',
    received: 'Received',
    direct: 'direct',
    relayed: 'relayed',
    routes: {
      host: 'direct, same network',
      reflexive: 'direct',
      relay: 'through a TURN server',
    },
    health: {
      direct: 'All links are direct: your network lets peers connect.',
      mixed: (relayed: number) =>
        `${relayed} of your links ${relayed === 1 ? 'goes' : 'go'} through the coordinator, since a direct one could not be made.`,
      relayed: 'Your network blocks direct connections; this tab works through the coordinator.',
    },
  },
  invite: {
    title: 'Invite others',
    note: 'Every device that opens this link makes the run quicker.',
    code: 'A code of the link to scan',
  },
  heldRows: {
    title: 'Rows that you hold',
    note: 'You can look at the data that this tab was given for the run.',
    none: 'No rows are here: this tab has no part in a run now.',
    failed: 'They can’t be had at the moment.',
    look: 'Look at them',
    again: 'Look again',
    rowsOf: (rows: string, name: string) => `${rows} of “${name}”`,
    held: (parts: string) => `Rows here: ${parts}.`,
    drawn: (parts: string) => `The run has ${parts} rows; this tab draws some of them for each step.`,
    spares: (rows: string) => `${rows} more are kept ready, should another worker go.`,
    steps:
      'A value is the number of a step on its column’s scale; the values themselves stay with the owner. Labels are as they are.',
    caption: (name: string, first: string, all: number, shown: number) =>
      `From row ${first} of “${name}” on${shown < all ? `, the first ${shown} of ${all} columns` : ''}`,
  },
  cache: {
    title: 'Data kept here',
    note: (amount: string, pieces: number) =>
      `${amount} of the owner’s data in ${pieces} ${pieces === 1 ? 'piece' : 'pieces'}, so that a reload need not fetch it again.`,
    none: 'Nothing is kept in this browser.',
  },
} as const;
