"""A node that counts what it hears. Make it yours; what there is to use stands at the head of seedbed.py."""

import seedbed


class Node(seedbed.Node):
    def on_init(self):
        # Also after a crash: what was saved is in self.saved, and everything else is gone.
        self.heard = self.saved.get("heard", 0)
        self.set_timer("tick", self.random.uniform(0.1, 0.2))

    def on_timer(self, name):
        self.broadcast({"type": "Hello", "heard": self.heard})
        self.set_timer("tick", self.random.uniform(0.1, 0.2))

    def on_message(self, src, message):
        if message["type"] == "Hello":
            self.heard += 1
            self.save("heard", self.heard)
            print(src, "has heard", message["heard"])


seedbed.run(Node)
