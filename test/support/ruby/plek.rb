# Finds an application by its variable, as Plek does.
module Plek
  def self.find(name)
    ENV.fetch("PLEK_SERVICE_#{name.upcase.tr('-', '_')}_URI")
  end
end
